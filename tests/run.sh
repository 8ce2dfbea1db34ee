#!/bin/sh
# Run every test of one build and end with "N passed, N failed". Each test program speaks TAP: "ok …",
# "not ok …", "ok … # SKIP why". A program that ends badly without a "not ok" counts as one failure.
# Usage: MODE=release tests/run.sh [PART OF A NAME…]
cd "$(dirname "$0")/.." || exit 2
mode=${MODE:-release}
bin=build/$mode
out=$(mktemp -d) || exit 2
trap 'rm -rf "$out"' EXIT
home=$out/home
mkdir -p "$home"
export HOME="$home" XDG_CONFIG_HOME="$home/config" XDG_DATA_HOME="$home/data" XDG_STATE_HOME="$home/state" XDG_CACHE_HOME="$home/cache"
export HEBB="$PWD/$bin/hebb" HEBB_HOME="$PWD" CMOCKA_MESSAGE_OUTPUT=TAP LC_ALL=C.UTF-8
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=0:second_deadlock_stack=1}
passed=0 failed=0 skipped=0

wanted() {
    [ $# -gt 1 ] || return 0
    name=$1; shift
    for part in "$@"; do case "$name" in *"$part"*) return 0 ;; esac; done
    return 1
}

run() { # NAME COMMAND…
    name=$1; shift
    "$@" >"$out/log" 2>"$out/errors" </dev/null
    status=$?
    s=$(grep -ciE '^(not )?ok.*# *skip' "$out/log") # cmocka writes a skipped test as "not ok … # SKIP"
    p=$(grep '^ok' "$out/log" | grep -vci '# *skip'); p=$((p + s)); f=$(grep '^not ok' "$out/log" | grep -vci '# *skip')
    [ "$status" -eq 0 ] || [ "$f" -gt 0 ] || f=1
    if [ "$p" -eq 0 ] && [ "$f" -eq 0 ]; then f=1; echo "  $name ran no test"; fi
    passed=$((passed + p - s)) skipped=$((skipped + s)) failed=$((failed + f))
    printf '  %-28s %4d ok' "$name" "$((p - s))"
    [ "$s" -eq 0 ] || printf ', %d skipped' "$s"
    [ "$f" -eq 0 ] || printf ', %d FAILED (exit status %d)' "$f" "$status"
    echo
    grep -iE '^(not )?ok.*# *skip' "$out/log" | sed 's/^/      /'
    if [ "$f" -gt 0 ]; then grep -v '^ok' "$out/log" | head -n 60 | sed 's/^/      /'; head -n 60 "$out/errors" | sed 's/^/      /'; fi
}

for program in "$bin"/tests/test_*; do # only those whose source is still there
    case "$program" in *.d) continue ;; esac
    name=${program##*/}
    [ -e "tests/unit/$name.c" ] || [ -e "tests/grad/$name.c" ] || [ -e "tests/fuzz/${name#test_}.c" ] || continue
    [ -x "$program" ] && wanted "${program##*/}" "$@" && run "${program##*/}" "$program"
done
for script in tests/lua/test_*.lua; do
    [ -e "$script" ] && wanted "${script##*/}" "$@" && run "${script##*/}" "$HEBB" "$script"
done
for script in tests/screen/test_*.sh tests/app/test_*.sh; do
    [ -e "$script" ] && wanted "${script##*/}" "$@" && run "${script##*/}" sh "$script"
done
echo
[ "$skipped" -eq 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
