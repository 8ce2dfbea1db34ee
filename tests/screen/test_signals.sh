#!/bin/sh
# SPDX-License-Identifier: MIT
# However the dashboard ends, the terminal is as it was, and nothing spins.
. "$(dirname "$0")/lib.sh"
run="env XDG_STATE_HOME=$work/state HOME=$work $demo --run --stats $work/stats"

# The bytes that reached the terminal hold the sequences that switch off what was switched on.
modes_off() {
    tail -c 2000 "$work/bytes" | grep -q "$(printf '\033\[?2004l')" && tail -c 2000 "$work/bytes" | grep -q "$(printf '\033\[?1049l')"
}

for signal in TERM HUP SEGV ABRT QUIT; do
    # A sanitizer would report the crash that is sent here, as one of ours.
    start 100 30 "ASAN_OPTIONS=\$ASAN_OPTIONS:handle_segv=0 TSAN_OPTIONS=\$TSAN_OPTIONS:handle_segv=0 $run"
    sees "$signal: it runs" "loss"
    type 'half a line'
    sees "$signal: something is typed" "half a line"
    kill -"$signal" "$(program)"
    is "$signal: the terminal's settings are as before" restored
    is "$signal: paste mode and the second screen are left" soon 5 modes_off
    sees "$signal: the shell is back on the normal screen" "the shell again"
done

start 100 30 "$run"
sees "it runs" "loss"
type 'half a line'
sees "something is typed" "half a line"
kill -INT "$(program)"
gone "SIGINT clears the line" "half a line"
type 'echo alive'; keys Enter
sees "SIGINT is Ctrl-C, not the end" "alive"

# Suspension under a shell with job control.
start 100 30 "PS1='sh> ' bash --norc -i"
sees "an interactive shell" "sh>"
type "$run"; keys Enter
sees "it runs under it" "loss"
type 'echo before'
keys C-z
sees "Ctrl-Z suspends" "Stopped"
tm resize-window -x 120 -y 40
type 'fg'; keys Enter
sees "fg brings it back, with what was typed" "> echo before"
sees "at the new size" "activations"
kill -STOP "$(pgrep -n face_demo)"
sees "SIGSTOP cannot be caught" "sh>"
type 'fg'; keys Enter
gone "but fg repairs the screen" "sh>"
keys Enter
sees "and the line is still there" "│before"
keys C-z
sees "suspended again" "Stopped"
type 'bg'; keys Enter
type 'echo in front'; keys Enter
sees "in the background it leaves the terminal alone" "in front"
gone "and draws nothing" "loss"
type 'fg'; keys Enter
sees "until it is in front again" "loss"
keys C-x q y
sees "and leaves as always" "face_demo: left"

# The terminal vanishes: the program ends soon and uses no processor time.
start 100 30 "$run"
sees "it runs" "loss"
pid=$(program)
tm kill-server
dead() { ! kill -0 "$pid" 2>/dev/null; }
is "without its terminal it ends" soon 2 dead
cpu() { sed 's/.*cpu_s //' "$work/stats" 2>/dev/null; }
is "and did not spin" awk "BEGIN { exit !(0$(cpu) < 2) }"

# A frame that does not change sends nothing.
start 100 30 "env XDG_STATE_HOME=$work/state HOME=$work $demo"
sees "an idle dashboard" "Ctrl-X"
type 'x'; sees "after a key" "> x"
size() { wc -c <"$work/bytes"; }
one=$(size); sleep 1; two=$(size)
is "sends no byte" test "$one" -eq "$two"
echo "# a key costs $(sleep 0.2; a=$(size); type y; sleep 0.3; echo $(($(size) - a))) bytes"
finish
