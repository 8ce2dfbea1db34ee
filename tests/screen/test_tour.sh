#!/bin/sh
# SPDX-License-Identifier: MIT
# The tour on the screen, as `make run` shows it: at three sizes, in poor terminals, and where there is none.
. "$(dirname "$0")/lib.sh"
run="env XDG_STATE_HOME=\$work/state XDG_CONFIG_HOME=\$work HEBB_HOME=$root INPUTRC=/dev/null"
tour="--threads 1 --seed 1 -i $root/scripts/tour.lua"

# An epoch takes too long under a sanitizer: there the scenes do without what is seen at its end, and each way of showing it
# stands for its likes.
fast() { case ${MODE:-release} in asan | tsan) return 1 ;; esac; }

epoch() { tm capture-pane -p | sed -n 's/.*epoch *\([0-9]*\)\/15.*/\1/p' | head -n 1; }
beyond() { now=$(epoch); [ -n "$now" ] && [ "$now" -gt "$1" ]; }
curve() { tm capture-pane -p | LC_ALL=C grep -a "$(printf '\342[\240-\243]')" | cksum; } # the lines with braille
curve_differs() { [ "$(curve)" != "$1" ]; }

watch() { # W H TITLE-OF-THE-ACTIVATIONS MORE…
    eval "start $1 $2 \"$run TERM=xterm-256color COLORTERM=truecolor $hebb $tour\""
    title=$3; shift 3
    sees "it starts by itself" "epoch"
    is "epochs count without a key" soon "$patience" beyond 0
    was=$(epoch) drawn=$(curve)
    ! fast || is "and count on" soon "$patience" beyond "$was"
    is "the curve moves" soon "$patience" curve_differs "$drawn"
    ! fast || sees "the confusion matrix" "row: true"
    sees "feature maps of the first convolution" "$title"
    sees "the prompt tells what made it" "Your turn, while it trains"
    for more in "$@"; do sees "there is room for $more" "$more"; done
    type 'print(600 * 7)'; keys Enter
    sees "the prompt answers" "4200"
    type 'os.exit(0)'; keys Enter
    is "os.exit leaves" status_is 0
    is "the terminal is as it was" restored
}
small() { watch 80 24 "own ranges"; }
usual() { watch 120 40 "activations · conv2d" accuracy precision; }
large() { watch 200 60 "activations · conv2d" accuracy precision "29,354 weights" conv2d_1; }

lines() { # NAME ENVIRONMENT
    eval "start 100 30 \"$run $2 $hebb $tour\""
    sees "$1: lines instead of a dashboard" "lines only"
    sees "$1: the tour trains" "epoch"
    keys C-c # the tour waits for its run here
    sees "$1: Ctrl-C ends the waiting" "interrupted"
    type 'print(600 * 7)'; keys Enter
    sees "$1: the prompt answers" "4200"
    type 'os.exit(0)'; keys Enter
    is "$1: left in order" status_is 0
    is "$1: the terminal is as it was" restored
}
dumb() { lines "TERM=dumb" "TERM=dumb"; }

shows() { # NAME ENVIRONMENT
    eval "start 100 30 \"$run $2 $hebb $tour\""
    sees "$1: the tour trains" "epoch"
    ! fast || sees "$1: the confusion matrix" "row: true"
    type 'print(600 * 7)'; keys Enter
    sees "$1: the prompt answers" "4200"
    type 'os.exit(0)'; keys Enter
    is "$1: left in order" status_is 0
    is "$1: the terminal is as it was" restored
}
has_not() { ! LC_ALL=C grep -aq "$(printf "$1")" "$work/bytes"; }
unknown() { shows "an unknown TERM" "TERM=xterm-of-tomorrow"; }
nocolor() {
    shows "NO_COLOR" "TERM=xterm-256color COLORTERM=truecolor NO_COLOR=1"
    is "NO_COLOR: no colour is sent" has_not '[34]8;[25];'
    is "NO_COLOR: nor one of the eight" has_not '[;[]3[0-7]m'
}
ascii() {
    shows "LC_ALL=C" "TERM=xterm LC_ALL=C"
    is "LC_ALL=C: only ASCII is sent" has_not '[^ -~[:cntrl:]]'
}
nowhere() { # no terminal: it trains to the end and reports
    case ${MODE:-release} in
    release) ;;
    *) ok "no terminal # SKIP too slow in this build"; return ;;
    esac
    eval "$run $hebb --seed 1 -i $root/scripts/tour.lua" >"$work/out" 2>"$work/err" </dev/null
    is "no terminal: the tour ends with status 0" test $? -eq 0
    is "the confusion matrix is on standard output" grep -q 'precision' "$work/out"
    is "and an accuracy of at least 98 %" grep -qE 'other writers: (9[89]|100)\.' "$work/out"
    is "progress is on standard error" grep -q 'epoch.*15/15' "$work/err"
}

if fast; then all="small usual large dumb unknown nocolor ascii nowhere"; else all="small dumb ascii nowhere"; fi
for each in $all; do scene $each; done
scenes
finish
