#!/bin/sh
# SPDX-License-Identifier: MIT
# The prompt in a real terminal: typing, history, search, blocks, paste, completion, Ctrl-C and Ctrl-D.
. "$(dirname "$0")/lib.sh"
state=$work/state
run="env XDG_STATE_HOME=$state HOME=$work INPUTRC=/dev/null $demo --stats $work/stats"

start 100 30 "$run"
sees "it starts" "Ctrl-X"
type 'echo grün 日本 x'; keys Enter
sees "a line is entered and answered" "grün 日本 x"
keys Up Enter
soon 5 sh -c "[ \$(tmux -u -L $socket capture-pane -p | grep -c '^│grün') -eq 2 ]"
is "Up brings it back" test $? -eq 0
is "the history is private" sh -c "[ \"\$(stat -c %a $state/hebb/history)\" = 600 ]"
is "and holds the entry at once" grep -q 'echo grün' "$state/hebb/history"
type 'echo other'; keys Enter
sees "another line" "other"
keys C-r; type 'ün'
sees "Ctrl-R finds a word with ü" "i-search)\`ün': echo grün"
keys C-g
gone "Ctrl-G ends the search" "i-search"

type 'function f(x)'; keys Enter; type 'return x'; keys Enter; type 'end'
sees "an unfinished block goes on, indented" ".   return x"
keys Up Home; type '--'
sees "Up and Home move inside the block" ". --  return x"
keys Down End Enter
sees "the indentation of the end is taken back" "│. end"
sees "the whole block is entered" "3 lines: function f(x)"
keys Up
sees "and is one entry of the history" "> function f(x)"
keys C-c
soon 5 sh -c "! tmux -u -L $socket capture-pane -p | grep -q '^│> *│.*x$'"
type 'one'; keys M-Enter; type 'two'; keys Enter
sees "Alt-Enter makes a new line" "7 bytes, 2 lines: one"

i=0; while [ $i -lt 500 ]; do printf '\tlocal größe_%d = "é日%d"\n' $i $i; i=$((i + 1)); done >"$work/paste"
tm load-buffer "$work/paste"; tm paste-buffer -p
sees "a paste of 500 lines arrives" 'größe_499 = "é日499"'
keys Enter
bytes=$(($(wc -c <"$work/paste") - 1))
sees "as one block, tabs and UTF-8 intact" "$bytes bytes, 500 lines"
printf '> echo copied\nsecond' >"$work/paste"; tm load-buffer "$work/paste"; tm paste-buffer -p; keys Enter
sees "a copied prompt sign is taken off" "> echo copied"

type 'nn.'; keys Tab
sees "Tab lists candidates" "Dropout"
sees "with their signatures" "nn.Dropout(rate)"
keys Tab Tab
sees "further Tabs choose" "> nn.Dense"
keys Escape
gone "Esc closes the list" "nn.Dropout(rate)"
type 'De'; keys Tab
sees "a single candidate is completed" "> nn.Dense("
type '3, {act'; keys Tab
sees "an option of a constructor too" "activation = "
sees "the signature stands in the border" "nn.Dense(units, {activation = nil"
keys C-c
gone "Ctrl-C clears the line" "nn.Dense(3"
keys C-y
sees "Ctrl-Y brings it back" "nn.Dense(3, {activation"
keys C-c
type 'nn.Dense'; keys M-h
sees "Alt-h explains the name" "every unit sees every input"
keys Escape
gone "Esc closes it" "every unit sees every input"
keys C-c

type 'loop'; keys Enter
sees "Lua at work is said" "Lua is at work"
type 'echo queued'; keys Enter
sees "lines queue behind it" "1 waiting"
type 'half'
sees "typing goes on" "> half"
keys C-c
sees "Ctrl-C interrupts Lua" "! interrupted"
sees "and leaves what is typed" "> half"
keys C-c
gone "a second one clears it" "> half"
keys C-c C-c
type 'std noise'; keys Enter
sees "standard output is captured" "noise"
sees "standard error too" "err noise"
type 'flood 2000'; keys Enter
sees "a flood is shown to its end" "flood line 1999"
keys PageUp
gone "PageUp scrolls back" "flood line 1999"
sees "and says so" "older lines"
keys PageDown PageDown PageDown
sees "PageDown returns" "flood line 1999"
keys C-l
gone "Ctrl-L clears the pane" "flood line"
keys F1
sees "F1 shows the keys" "Ctrl-X p"
keys Escape
keys C-x
sees "the leader shows what follows" "Ctrl-X"
keys C-u
keys C-d
is "Ctrl-D leaves" status_is 0
is "the terminal is as it was" restored

printf 'set editing-mode vi\n"\\C-xp": "macro of mine"\n$if hebb\n"\\C-xj": hebb-help\n$endif\n' >"$work/inputrc"
start 100 30 "env XDG_STATE_HOME=$state HOME=$work INPUTRC=$work/inputrc $demo --run"
sees "with an inputrc" "Ctrl-X"
keys C-x p
sees "the user's binding wins" "macro of mine"
keys C-x j
sees "an action has a name there" "go to the next pane"
keys q
gone "q closes the help" "go to the next pane"
keys C-c
type 'echo vi mode'; sleep 0.2; keys Escape; sleep 0.2; keys 0 x i
sees "vi mode works" "> cho vi mode"
keys C-c C-d
sees "Ctrl-D asks while a run is in training" "leave?"
keys n
gone "n stays" "leave?"
keys C-x s
sees "a step is made and the run pauses" "paused"
keys C-x q
sees "Ctrl-X q asks" "leave?"
keys y
is "y leaves" status_is 0
is "the terminal is as it was again" restored
is "500 lines of paste are in the history once" sh -c "[ \$(grep -c größe_499 $state/hebb/history) -eq 1 ]"
finish
