#!/bin/sh
# SPDX-License-Identifier: MIT
# The program itself while a network trains: the curves move, typing goes on, Lua may loop, keys steer, sizes change.
. "$(dirname "$0")/lib.sh"
run="env XDG_STATE_HOME=\$state XDG_CONFIG_HOME=\$state HEBB_HOME=$root INPUTRC=/dev/null TERM=xterm-256color $hebb --threads 1 --seed 1"

cat >"$work/net.lua" <<'LUA'
digits = data.digits()
model = nn.Sequential()
model:add(nn.Rescaling(1/16, {input_shape = {8, 8, 1}}))
model:add(nn.Conv2D(4, 3, {activation = "relu", name = "strokes"}))
model:add(nn.Flatten())
model:add(nn.Dense(10, "softmax"))
model:compile{optimizer = "sgd", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
run = model:fit(digits.x, digits.y, {epochs = 9000, batch_size = 64, validation_split = 0.1, wait = false})
LUA
net=$work/net.lua

epoch() { tm capture-pane -p | sed -n 's/.*epoch *\([0-9,]*\)\/.*/\1/p' | head -n 1 | tr -d ,; }
step() { tm capture-pane -p | sed -n 's/.*step *\([0-9,]*\).*/\1/p' | head -n 1 | tr -d ,; }
beyond() { now=$(epoch); [ -n "$now" ] && [ "$now" -gt "$1" ]; }
moves() { was=$(epoch); is "$1" soon "$patience" beyond "${was:-0}"; }
begin() { state=$work/state; eval "start $1 $2 \"$run $3\""; sees "it trains" "epoch"; }

loop() {
    begin 100 30 "-i $net"
    sees "Lua is done with the file" ">"
    moves "the epochs count without a key"
    type 'while true do end'; keys Enter
    sees "a loop at the prompt is said" "Lua is at work"
    moves "the training goes on beside it"
    type 'print("typed meanwhile")'
    sees "typing goes on beside it" '> print("typed meanwhile")'
    keys BSpace BSpace; type '!")'
    sees "so does editing" '> print("typed meanwhile!")'
    keys Enter
    sees "a line waits its turn" "1 waiting"
    keys C-c
    sees "Ctrl-C ends the loop" "interrupted"
    gone "and Lua is free" "Lua is at work"
    moves "and not the training"
    type 'while true do pcall(function() while true do end end) end'; keys Enter
    sees "a loop that catches errors" "Lua is at work"
    keys C-c
    gone "is ended as well" "Lua is at work"
    type 'co = coroutine.wrap(function() while true do end end) co()'; keys Enter
    sees "a loop in a coroutine" "Lua is at work"
    keys C-c
    gone "is ended as well" "Lua is at work"
    type 'for i = 1, 300 do print("line " .. i) end while true do end'; keys Enter
    sees "output of a loop" "line 300"
    keys PageUp PageUp
    gone "scrolls beside it" "line 300"
    moves "while the epochs count"
    keys PageDown PageDown PageDown C-c
    sees "and back" "interrupted"
    type 'run:wait()'; keys Enter
    sees "waiting for the run" "Lua is at work"
    keys C-c
    gone "ends at Ctrl-C" "Lua is at work"
    moves "but the run does not"
    type 'run.status'; keys Enter
    sees "it says so itself" '"training"'
}

still() { a=$(step); sleep 0.3; [ "$a" = "$(step)" ]; } # paused: nothing could be waited for

steer() {
    begin 120 40 "-i $net"
    moves "it trains on"
    sees "activations of the first convolution" "activations · strokes"
    sees "the confusion matrix" "row: true"
    keys C-x p
    sees "the leader and p pause" "paused"
    is "and the step stands" soon "$patience" still
    at=$(step)
    keys C-x s
    is "s makes one step" soon "$patience" step_is $((at + 1))
    type "run:step(3)"; keys Enter
    is "run:step(3) makes three" soon "$patience" step_is $((at + 4))
    keys F8
    is "F8 is the same key as s" soon "$patience" step_is $((at + 5))
    type "run.learning_rate = 0.005"; keys Enter
    sees "a changed learning rate stands in the header" "lr 0.005"
    keys C-x p
    moves "p again goes on"
    keys C-x l
    gone "the next layer's activations" "activations · strokes"
    keys C-x L
    sees "and back" "activations · strokes"
    keys C-x n
    sees "the next probe image" "sample 2 of"
    keys C-x o
    sees "the next pane has the keys" "Esc prompt"
    keys z
    gone "zoomed" "confusion"
    moves "and alive"
    keys z
    sees "all again" "confusion"
    keys Escape
    gone "Esc: back to the prompt" "Esc prompt"
    type 'typed before'
    for size in 60x15 80x24 20x5 200x60 60x15; do tm resize-window -x "${size%x*}" -y "${size#*x}"; done
    sees "60x15 is too small, it says so" "needs a window of at least"
    tm resize-window -x 80 -y 24
    sees "80x24: the panes are back" "confusion"
    sees "with the line" "> typed before"
    moves "and the training never stopped"
    tm resize-window -x 200 -y 60
    sees "200x60 has the list of layers" "weights"
    keys C-c
    keys C-x h
    sees "the help is made from the table of keys" "train one batch, then pause"
    keys Escape
    gone "and closes" "train one batch, then pause"
    keys C-x k y
    sees "k ends the training when confirmed" "stopped"
    keys C-d
    is "Ctrl-D leaves" status_is 0
    is "the terminal is as it was" restored
}
step_is() { [ "$(step)" = "$1" ]; }

history() { # the lines of the history file without its times
    grep -v '^#[0-9]' "$work/state/hebb/history" 2>/dev/null
}
in_history() { history | grep -qF -- "$1"; }
lines() { tm capture-pane -p | grep -cF -- "$1"; }
lines_are() { [ "$(lines "$1")" -eq "$2" ]; }

edit() {
    state=$work/state
    mkdir -p "$state/hebb"
    begin 100 30 "-i $net"
    type 'word = "café 日本"'; keys Enter
    is "an entered line is in the history file at once" soon "$patience" in_history 'word = "café 日本"'
    is "which is private" test "$(stat -c %a "$state/hebb/history")" = 600
    type '#word'; keys Enter
    sees "and was run" "12"
    keys C-r; type 'é'
    sees "Ctrl-R finds é" 'word = "café'
    type ' 日'
    sees "and 日 behind it" "é 日'"
    keys C-g
    gone "Ctrl-G leaves the search" "i-search"
    type 'for i = 1, 2 do'; keys Enter; type 'print("pass " .. i)'; keys Enter; type 'end'
    sees "a block goes on with a second sign" ".   print("
    keys Up; keys C-a; type 'local j = i '; keys C-e Down
    sees "and is edited as one" "local j = i "
    keys End Enter
    sees "the block runs" "pass 2"
    is "and is one entry of the history file" soon "$patience" in_history 'print("pass " .. i)'
    keys C-l Up
    sees "Up brings all of it back" "> for i = 1, 2 do"
    sees "to its last line" ". end"
    keys End Enter
    sees "and it runs again" "pass 2"
    { printf 'do\n'; i=0; while [ $i -lt 499 ]; do printf '\tlocal größe = "é日%d"\n' $i; i=$((i + 1)); done; printf '\tprint("all " .. größe)\nend\n'; } |
        sed 's/größe/size_/g' >"$work/paste"
    tm load-buffer "$work/paste"; tm paste-buffer -p
    sees "a paste of 500 lines stands there whole, not run" '. end'
    keys Enter
    sees "and runs as one block" "too many local variables"
    { printf 'do local sum = 0\n'; i=0; while [ $i -lt 499 ]; do printf '\tsum = sum + #"é日%d"\n' $((i % 10)); i=$((i + 1)); done; printf '\tprint("all " .. sum)\nend\n'; } >"$work/paste"
    tm load-buffer "$work/paste"; tm paste-buffer -p
    sees "a paste of 501 lines" '. end'
    keys Enter
    sees "with tabs and UTF-8 is computed" "all 2994"
    is "and is in the history file with its tabs" in_history "$(printf '\tsum = sum + #"é日9"')"
    keys C-l Up C-c
    gone "Ctrl-C clears the block" "sum = sum"
    moves "the training went on all the time"
}

complete() {
    state=$work/state
    printf 'x\n' >"$work/täglich.csv"
    mkdir "$work/in"; cp "$net" "$work/in/"
    printf 'made_by_init = "from the init file"\n' >"$work/init.lua"
    mkdir -p "$work/state/hebb"; cp "$work/init.lua" "$work/state/hebb/init.lua"
    eval "start 110 60 \"cd $work; $run -i $net\""
    sees "it trains" "epoch"
    type 'made_by_init'; keys Enter
    sees "the init file was read" '"from the init file"'
    type 'digi'; keys Tab
    sees "Tab completes a global" "> digits"
    type '.tes'; keys Tab
    sees "a field" "> digits.test"
    keys Tab C-c
    type 'model:summ'; keys Tab
    sees "a method" "> model:summary("
    keys C-c
    type 'run:rew'; keys Tab
    sees "a method of a run" "> run:rewind("
    keys C-c
    type 'nn.Conv2D(8, 3, {pad'; keys Tab
    sees "an argument of a constructor" "padding = "
    keys C-c
    type 'nn.Flat'; keys Tab
    sees "a constructor" "nn.Flatten("
    keys C-c
    type 'data.csv("tä'; keys Tab
    sees "a file name in a string" 'data.csv("täglich.csv"'
    keys C-c
    type 'string.re'; keys Tab
    sees "several candidates are listed" "reverse"
    keys C-c
    gone "Ctrl-C closes the list" "reverse"
    type '60 * 7000 + 5'; keys Enter
    sees "an expression prints its value" "420005"
    type '_ + 1'; keys Enter
    sees "_ is the last one" "420006"
    type '1000 + 729;'; keys Enter; type 'print("after")'; keys Enter
    sees "; keeps quiet" "after"
    is "so that no value is shown" not_on_screen "1729"
    type '_ * 2'; keys Enter
    sees "though _ has it" "3458"
    keys C-l
    type 'tensor{{1, 2}, {3, 4.5}}'; keys Enter
    sees "a tensor tells shape and type" "(2, 2)"
    sees "float32" "float32"
    type 'digits.x'; keys Enter
    keys C-x z
    gone "the prompt alone" "confusion"
    sees "a large one too" "tensor uint8 (3823, 8, 8, 1)"
    keys C-l
    type '?nn.Dense'; keys Enter
    sees "? explains" "y = activation(x kernel"
    keys C-l
    type 'help(nn.Dense)'; keys Enter
    sees "so does help" "y = activation(x kernel"
    keys C-l
    type 'nn.Dens(3)'; keys Enter
    sees "a near miss is named" "did you mean nn.Dense?"
    keys C-x z
    sees "all panes" "confusion"
    type 'modle:fit()'; keys Enter
    sees "of a global too" "did you mean model"
    type 'run.learning_rte'; keys Enter
    sees "of a field too" "did you mean"
    keys C-l
    type 'local t = nil; t.x = 1'; keys Enter
    sees "an error shows the user's line" "local t = nil; t.x = 1"
    type '$ echo shell and $((40 + 2))'; keys Enter
    sees "\$ asks the shell" "shell and 42"
    moves "and the training went on all the time"
}
scene loop
scene steer
scene edit
scene complete
scenes
finish
