#!/bin/sh
# Fuzz every reader: SECONDS each, from the corpus in the tree and what earlier runs found (build/fuzz/corpus). An input that
# breaks one is kept in build/fuzz/found; when it is mended, the input goes to tests/fuzz/corpus.
# Usage: tests/fuzz/run.sh SECONDS [NAME…]
cd "$(dirname "$0")/../.." || exit 2
seconds=$1; shift
failed=0
mkdir -p build/fuzz/found
for program in build/fuzz/fuzz_*; do
    name=${program##*/fuzz_}
    case "$name" in *.*) continue ;; esac
    [ $# -eq 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
    mkdir -p "build/fuzz/corpus/$name"
    if "$program" -max_total_time="$seconds" -max_len=65536 -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/found/$name-" "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" tests/fixtures/formats \
        >"build/fuzz/$name.log" 2>&1; then
        echo "  $name: $(sed -n 's/stat::number_of_executed_units: *//p' "build/fuzz/$name.log") inputs, nothing found"
    else
        failed=1
        echo "  $name: FAILED, see build/fuzz/$name.log"
        tail -n 25 "build/fuzz/$name.log"
    fi
done
exit $failed
