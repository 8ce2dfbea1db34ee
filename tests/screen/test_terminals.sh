#!/bin/sh
# SPDX-License-Identifier: MIT
# Kinds of terminals, colours, locales and sizes; no terminal at all.
. "$(dirname "$0")/lib.sh"
base="env XDG_STATE_HOME=$work/state HOME=$work HEBB_HOME=$root"

refused() { # NAME PART COMMAND…
    name=$1 part=$2; shift 2
    "$@" >"$work/out" 2>&1
    status=$?
    is "$name" test "$status" -eq 3
    is "$name: says \"$part\"" grep -q "$part" "$work/out"
}
refused "standard input is no terminal" "standard input is not a terminal" $base "$demo" </dev/null
start 100 30 "$base $demo | cat"
sees "standard output is no terminal" "standard output is not a terminal"
start 100 30 "$base TERM=dumb $demo"
sees "a dumb terminal" "cannot place its cursor"
is "is refused" status_is 3

shows() { # NAME ENVIRONMENT TEXT
    start 100 30 "$base $2 $demo --run"
    sees "$1: curves" "loss"
    type 'echo here'; keys Enter
    sees "$1: the prompt answers" "${3:-│here}"
    keys C-l; sleep 0.3
    keys C-x q y
    is "$1: left in order" restored
}
has() { grep -q "$(printf "$1")" "$work/bytes"; }
has_not() { ! has "$1"; }

shows "unknown TERM" "TERM=xterm-ghostty-of-tomorrow"
shows "256 colours" "TERM=xterm-256color"
is "256 colours are used" has '[34]8;5;'
is "no true colour" has_not '[34]8;2;'
shows "true colour" "TERM=xterm-256color COLORTERM=truecolor"
is "true colour is used" has '[34]8;2;'
shows "NO_COLOR" "TERM=xterm-256color COLORTERM=truecolor NO_COLOR=1"
is "no colour is sent" has_not '[34]8;[25];'
is "nor one of the eight" has_not '[;[]3[0-7]m'
shows "eight colours" "TERM=xterm"
is "nothing beyond them" has_not '[34]8;'
shows "vt100" "TERM=vt100"
shows "linux" "TERM=linux"
shows "LANG=C" "LC_ALL=C" "|here"
is "only ASCII is sent" sh -c "! LC_ALL=C grep -q '[^ -~[:cntrl:]]' $work/bytes"
start 100 30 "$base LC_ALL= LANG= LC_CTYPE= $demo"
type 'echo grün'; keys Enter
sees "no locale named at all: UTF-8" "│grün"
for theme in dark light colorblind mono; do
    start 100 30 "$base $demo --run --theme $theme"
    sees "theme $theme" "loss"
done
start 100 30 "$base $demo --theme nonesuch"
sees "an unknown theme is named" "nonesuch"
is "and ends with an error" status_is 1
start 100 30 "$base $demo"
sees "it runs" "Ctrl-X"
keys C-x t
sees "the key goes to the next theme" "theme "

# Sizes.
start 100 30 "$base $demo --run"
sees "it runs" "loss"
type 'echo stays'
for size in '20 5' '80 24' '1 1' '300 100' '40 10' '2 2' '120 40' '10 200' '79 23' '5 1'; do
    set -- $size
    tm resize-window -x "$1" -y "$2"
    keys Left Right
done
i=0
while [ $i -lt 60 ]; do
    tm resize-window -x $((i * 7 % 130 + 1)) -y $((i * 11 % 45 + 1))
    i=$((i + 1))
done
type ' put'
tm resize-window -x 60 -y 15
sees "too small a window says what it needs" "80"
tm resize-window -x 120 -y 40
sees "after a storm of sizes the line is whole" "> echo stays put"
sees "and the panes are drawn" "confusion"
keys Enter
sees "and all goes on" "│stays put"

# Keys of the panes.
keys C-x o
sees "the next pane has the keys" "Esc prompt"
keys Escape
gone "Esc returns to the prompt" "Esc prompt"
keys C-x o; keys z
gone "z shows it alone" "confusion"
keys z
sees "and all again" "confusion"
keys p
sees "p pauses" "paused"
keys s s
keys Escape C-x k
sees "stopping asks" "stop?"
keys n C-x b
gone "big panes" "activations"
keys C-x b
sees "all panes" "activations"
keys C-x g C-x a
sees "smoothing says what it does" "averaged"
keys C-x k y
sees "stopped" "stopped"
keys C-x q
is "nothing runs: no question" status_is 0
finish
