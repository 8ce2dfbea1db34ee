#!/bin/sh
# SPDX-License-Identifier: MIT
# However the program itself ends while a network trains, the terminal is as it was and nothing is lost; what must go on goes on.
. "$(dirname "$0")/lib.sh"
run="env XDG_STATE_HOME=\$work/state XDG_CONFIG_HOME=\$work HEBB_HOME=$root INPUTRC=/dev/null TERM=xterm-256color $hebb --threads 1 --seed 1"

cat >"$work/net.lua" <<'LUA'
points = data.spiral(300)
model = nn.Sequential()
model:add(nn.Dense(8, "relu", {input_shape = {2}}))
model:add(nn.Dense(3, "softmax"))
model:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
run = model:fit(points.x, points.y, {epochs = tonumber(arg[1]), batch_size = 100, wait = false})
LUA
net=$work/net.lua

begin() { # COMMAND…
    eval "start 100 30 \"$run $1\""
}
# What was switched on last: the normal screen, a cursor, no bracketed paste.
last_is() { [ "$(LC_ALL=C grep -ao "?$1[hl]" "$work/bytes" | tail -n 1)" = "?$1$2" ]; }
cursor_shown() { last_is 25 h || ! LC_ALL=C grep -aq '?25l' "$work/bytes"; }
modes_off() { last_is 2004 l && last_is 1049 l && cursor_shown; }
given_back() { # STATUS
    is "$2: the exit status is $1" status_is "$1"
    is "$2: the terminal's settings are as before" restored
    is "$2: no second screen, no paste mode, the cursor shown" soon "$patience" modes_off
    sees "$2: the shell is back" "the shell again"
}
folder() { ls -d "$work"/state/hebb/runs/*/ 2>/dev/null | tail -n 1; }
run_is() { grep -q "$1" "$(folder)run.json" 2>/dev/null; }
saved_loads() { # the autosave is whole, and a run goes on from it
    "$hebb" -e "m = nn.load('$(folder)autosave.safetensors') print('loaded', m:count_params())" >"$work/out" 2>&1 </dev/null && grep -q 'loaded.51' "$work/out"
}
gone_process() { ! kill -0 "$pid" 2>/dev/null; }
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$pid/stat" 2>/dev/null; }

normal() {
    begin "-i $net 5"
    sees "a short run" "finished"
    keys C-d
    given_back 0 "Ctrl-D"
    is "Ctrl-D: the run is on disk" saved_loads
}
error() {
    begin "-i $net 900000"
    sees "it trains" "training"
    type 'os.exit(3)'; keys Enter
    given_back 3 "os.exit"
    is "os.exit: the run is on disk" saved_loads
}
quit() {
    begin "-i $net 900000"
    sees "it trains" "training"
    keys C-x q
    sees "leaving asks" "leave?"
    keys y
    given_back 0 "y"
    is "y: the run is on disk" saved_loads
}
watch() {
    printf 'print("so far so good")\nerror("broken on purpose")\n' >"$work/broken.lua"
    begin "-w $work/broken.lua"
    given_back 1 "an error under -w"
    sees "what the script printed is on the normal screen" "so far so good"
    sees "and the message" "broken on purpose"
}
term() {
    begin "-i $net 900000"
    sees "it trains" "training"
    type 'half a line'
    sees "something is typed" "half a line"
    kill -TERM "$(program)"
    given_back 143 "SIGTERM"
    is "SIGTERM: the run is on disk" saved_loads
}
loopterm() {
    begin "-i $net 900000"
    sees "it trains" "training"
    type 'while true do pcall(function() while true do end end) end'; keys Enter
    sees "Lua loops" "Lua is at work"
    kill -TERM "$(program)"
    given_back 143 "SIGTERM in a loop"
}
crash() { # SIGNAL STATUS; a sanitizer would report the crash that is sent here as one of ours
    export ASAN_OPTIONS="$ASAN_OPTIONS:handle_segv=0:handle_abort=0" TSAN_OPTIONS="$TSAN_OPTIONS:handle_segv=0:handle_abort=0"
    begin "-i $net 900000"
    sees "it trains" "training"
    kill -"$1" "$(program)"
    given_back "$2" "SIG$1"
}
segv() { crash SEGV 139; }
abort() { crash ABRT 134; }
suspend() {
    eval "start 100 30 \"PS1='sh> ' bash --norc -i\""
    sees "an interactive shell" "sh>"
    eval "type \"$run -i $net 900000\""; keys Enter
    sees "it trains" "training"
    type '"before"'
    keys C-z
    sees "Ctrl-Z suspends" "Stopped"
    type 'echo the shell works'; keys Enter
    sees "the shell has the terminal" "the shell works"
    tm resize-window -x 120 -y 40
    type 'fg'; keys Enter
    sees "fg brings it back with what was typed" '> "before"'
    sees "at the new size" "accuracy"
    kill -TSTP "$(pgrep -n -P "$(program)")"
    sees "SIGTSTP does the same" "sh>"
    type 'fg'; keys Enter
    gone "and fg repairs the screen" "sh>"
    keys Enter
    sees "the line is whole" '"before"'
    keys C-x q
    sees "leaving asks" "leave?"
    keys y
    sees "and the shell is back" "sh>"
}
killed() {
    begin "-i $net 900000"
    sees "it trains" "training"
    type 'run:pause()'; keys Enter # an event: it is saved at once
    sees "it pauses" "paused"
    is "an autosave is on disk" soon "$patience" test -s "$(folder)autosave.safetensors"
    type 'run:resume()'; keys Enter
    sees "it goes on" "training"
    kill -KILL "$(program)"
    is "kill -9 ends it" status_is 137
    is "the autosave loads" saved_loads
    cat >"$work/again.lua" <<LUA
points = data.spiral(300)
model = nn.load(arg[1])
model:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
run = model:fit(points.x, points.y, {epochs = 900000, batch_size = 100, wait = false, resume = arg[1]})
print("from step " .. run.steps)
run:stop()
LUA
    is "and the run goes on from it in another process" goes_on
}
goes_on() {
    "$hebb" --threads 1 --seed 1 "$work/again.lua" "$(folder)autosave.safetensors" >"$work/out" 2>&1 </dev/null && grep -q 'from step [1-9][0-9]' "$work/out"
}
closed() { # by SIGHUP from the kernel: its window is closed
    begin "-i $net $1"
    sees "$2: it trains" "training"
    pid=$(program)
    "$3"
    is "$2: it goes on without a screen" soon "$patience" run_is '"finished"'
    is "$2: then it ends" soon "$patience" gone_process
    is "$2: the run is on disk" saved_loads
}
close_window() { tm kill-server; }
hang_up() { kill -HUP "$pid"; }
window() { closed 20000 "a closed window" close_window; }
hup() { closed 20000 "SIGHUP" hang_up; }

idle() { # closed without a run: it ends, and does not spin
    begin ""
    sees "an empty dashboard" "tour()"
    pid=$(program)
    tm kill-server
    is "a closed window without a run: it ends" soon "$patience" gone_process
}

forsaken() { # a paused run without its window: nobody can resume it
    begin "-i $net 900000"
    sees "it trains" "training"
    keys C-x p
    sees "it is paused" "paused"
    pid=$(program)
    tm kill-server
    is "a closed window with a paused run: it ends" soon "$patience" gone_process
    is "and the run is on disk" saved_loads
}
lines() {
    begin "--plain -i $net 900000"
    sees "a prompt without a dashboard" ">"
    type 'while true do end'; keys Enter
    sees "a loop" "while true do end"
    keys C-c
    sees "Ctrl-C ends it" "interrupted"
    type 'print("still " .. run.status)'; keys Enter
    sees "not the training" "still training"
    type 'half a line'; keys C-c
    type '6 * 7001'; keys Enter
    sees "Ctrl-C clears a line" "42006"
    keys C-d
    sees "Ctrl-D warns of the run" "Ctrl-D again leaves"
    keys C-d
    is "and leaves, with status 0 whatever Ctrl-C ended before" status_is 0
    is "the terminal is as it was" restored
    is "the run is on disk" saved_loads
}
linesterm() {
    begin "--plain -i $net 900000"
    sees "a prompt without a dashboard" ">"
    type 'print(run.status)'; keys Enter
    sees "it trains" "training"
    kill -TERM "$(program)"
    is "SIGTERM to a line prompt: status 143" status_is 143
    is "the terminal is as it was" restored
    is "the run is on disk" saved_loads
}
linesgone() {
    begin "--plain -i $net 20000"
    sees "a prompt without a dashboard" ">"
    pid=$(program)
    tm kill-server
    is "a line prompt without its window: the run goes on to its end" soon "$patience" run_is '"finished"'
    is "then it ends" soon "$patience" gone_process
}

for each in normal error quit watch term loopterm segv abort suspend killed window hup idle forsaken lines linesterm linesgone; do scene $each; done
scenes
finish
