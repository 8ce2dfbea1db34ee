#!/bin/sh
# Run every test of one build and end with "N passed, N failed". Each test program speaks TAP: "ok …",
# "not ok …", "ok … # SKIP why". A program that ends badly without a "not ok" counts as one failure, so does one that does not
# end, and every report of a sanitizer, whichever process wrote it (those in tmux or behind a pipe too).
# Usage: MODE=release tests/run.sh [PART OF A NAME…]
cd "$(dirname "$0")/.." || exit 2
mode=${MODE:-release}
bin=build/$mode
# The sanitizers of gcc 12 and clang 14 do not find room for their shadow where the kernel places code at more than 28 random
# bits: there, without random places (children inherit that; where it is forbidden the tests say what is wrong).
case "$mode" in asan | tsan)
    bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)
    if [ "$bits" -gt 28 ] && [ -z "$HEBB_SAME_PLACES" ] && setarch "$(uname -m)" -R true 2>/dev/null; then
        HEBB_SAME_PLACES=1 exec setarch "$(uname -m)" -R sh tests/run.sh "$@"
    fi ;;
esac
out=$(mktemp -d) || exit 2
trap 'rm -rf "$out"' EXIT
home=$out/home
mkdir -p "$home"
export HOME="$home" XDG_CONFIG_HOME="$home/config" XDG_DATA_HOME="$home/data" XDG_STATE_HOME="$home/state" XDG_CACHE_HOME="$home/cache"
export HEBB="$PWD/$bin/hebb" HEBB_HOME="$PWD" CMOCKA_MESSAGE_OUTPUT=TAP LC_ALL=C.UTF-8
reports=$out/sanitizer
export ASAN_OPTIONS="detect_leaks=1:log_path=$reports:$ASAN_OPTIONS" UBSAN_OPTIONS="print_stacktrace=1:$UBSAN_OPTIONS"
export TSAN_OPTIONS="second_deadlock_stack=1:log_path=$reports:$TSAN_OPTIONS"
case "$mode" in asan | tsan) longest=900 ;; *) longest=300 ;; esac # seconds a program may take
passed=0 failed=0 skipped=0

wanted() {
    [ $# -gt 1 ] || return 0
    name=$1; shift
    for part in "$@"; do case "$name" in *"$part"*) return 0 ;; esac; done
    return 1
}

run() { # NAME COMMAND…
    name=$1; shift
    began=$(date +%s)
    timeout -k 10 $longest "$@" >"$out/log" 2>"$out/errors" </dev/null
    status=$?
    took=$(($(date +%s) - began))
    s=$(grep -aciE '^(not )?ok.*# *skip' "$out/log") # cmocka writes a skipped test as "not ok … # SKIP"
    p=$(grep -a '^ok' "$out/log" | grep -avci '# *skip'); p=$((p + s)); f=$(grep -a '^not ok' "$out/log" | grep -avci '# *skip')
    r=$(find "$out" -name 'sanitizer.*' | wc -l); f=$((f + r))
    [ "$status" -eq 0 ] || [ "$f" -gt 0 ] || f=1
    if [ "$p" -eq 0 ] && [ "$f" -eq 0 ]; then f=1; echo "  $name ran no test"; fi
    passed=$((passed + p - s)) skipped=$((skipped + s)) failed=$((failed + f))
    printf '  %-28s %4d ok %4d s' "$name" "$((p - s))" "$took"
    [ "$s" -eq 0 ] || printf ', %d skipped' "$s"
    [ "$f" -eq 0 ] || printf ', %d FAILED (exit status %d)' "$f" "$status"
    [ "$r" -eq 0 ] || printf ', %d of them reports of a sanitizer' "$r"
    echo
    grep -aiE '^(not )?ok.*# *skip' "$out/log" | sed 's/^/      /'
    if [ "$f" -gt 0 ]; then grep -av '^ok' "$out/log" | head -n 60 | sed 's/^/      /'; head -n 60 "$out/errors" | sed 's/^/      /'; fi
    for report in "$reports".*; do [ -e "$report" ] && head -n 80 "$report" | sed 's/^/      /'; done
    rm -f "$reports".*
}

for program in "$bin"/tests/test_*; do # only those whose source is still there
    case "$program" in *.d) continue ;; esac
    name=${program##*/}
    [ -e "tests/unit/$name.c" ] || [ -e "tests/grad/$name.c" ] || [ -e "tests/fuzz/${name#test_}.c" ] || continue
    [ -x "$program" ] && wanted "${program##*/}" "$@" && run "${program##*/}" "$program"
done
for script in tests/lua/test_*.lua; do
    [ -e "$script" ] && wanted "${script##*/}" "$@" && run "${script##*/}" "$HEBB" --seed 1 "$script" # the same every time
done
for script in tests/screen/test_*.sh tests/app/test_*.sh; do
    case "$mode$#$script" in f640tests/screen/*) continue ;; esac # screens show the same in double precision: only when asked for
    case "${SCREENS:-yes}$script" in notests/screen/*|notests/app/*) continue ;; esac # SCREENS=no: without those that drive the program
    [ -e "$script" ] && wanted "${script##*/}" "$@" && run "${script##*/}" sh "$script"
done
echo
[ "$skipped" -eq 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
