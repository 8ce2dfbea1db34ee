#!/bin/sh
# SPDX-License-Identifier: MIT
# Every key that the help lists does on the smallest screen what the help says; the help is read from the screen itself.
. "$(dirname "$0")/lib.sh"
state=$work/state
run="env XDG_STATE_HOME='$state' XDG_CONFIG_HOME='$state' HEBB_HOME='$root' INPUTRC=/dev/null TERM=xterm-256color '$hebb' --threads 1 --seed 1"

cat >"$work/net.lua" <<'LUA'
digits = data.digits()
for i = 1, 2 do
  model = nn.Sequential{name = "net" .. i}
  model:add(nn.Conv2D(4, 3, {activation = "relu", input_shape = {8, 8, 1}, name = "strokes"}))
  model:add(nn.Flatten())
  model:add(nn.Dense(10, "softmax"))
  model:compile{optimizer = "sgd", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
  run = model:fit(digits.x, digits.y, {epochs = 9000, batch_size = 64, validation_split = 0.1, wait = false})
  while run.epoch < 3 do hebb.sleep(0.01) end
  run:pause()
end
for i = 1, 60 do print("line " .. i) end
LUA

tested=
shot() { tm capture-pane -e -p 2>/dev/null | cksum; }
differs() { [ "$(shot)" != "$was" ]; }
sent() { wc -c <"$work/bytes"; }
louder() { [ "$(sent)" -gt "$was" ]; }
press() { tested="$tested $1"; keys C-x "$1"; }
changes() { soon "$patience" on_screen "Ctrl-X then"; was=$(shot); press "$1"; # no notice that would go by itself
    is "$1 $2" soon "$patience" differs; }
shows() { press "$1"; sees "$1 $2" "$3"; }
hides() { press "$1"; gone "$1 $2" "$3"; }
step() { tm capture-pane -p | sed -n 's/.*step *\([0-9,]*\).*/\1/p' | head -n 1 | tr -d ,; }
step_is() { [ "$(step)" = "$1" ]; }

eval "start 80 24 \"$run -i '$work/net.lua'\""
sees "the file has been read" "line 60"
sees "the run stands" "paused"
sees "its activations are shown" "strokes"

shows o "goes to a pane" "Esc prompt"
hides O "goes back" "Esc prompt"
hides z "gives the prompt all" "strokes"
shows z "shows all again" "strokes"
hides p "goes on" "paused"
shows p "pauses" "paused"
at=$(step); press s
is "s makes one step" soon "$patience" step_is $((at + 1))
shows k "asks" "y  stop"
keys n; gone "n: not stopped" "y  stop"
hides l "shows another layer" "strokes"
shows L "and the one before" "strokes"
changes n "shows another sample"
changes N "and the one before"
shows r "looks at the other run" "net1"
shows R "and back" "net2"
shows m "shows another chart" "─ accuracy"
shows M "and the one before" "─ loss"
shows g "changes the scale" "logarithmic"
shows A "averages less" "averaged over"
shows a "averages more" "averaged over about 10"
shows t "takes another theme" "theme "
changes b "shows large panes"
changes b "shows all again"
changes + "gives the prompt a row"
changes - "takes it away"
shows u "scrolls back" "older lines"
hides d "scrolls forward" "older lines"
was=$(sent); press c
is "c paints all again" soon "$patience" louder
type 'nn.Dense'; sees "a name is typed" "> nn.Dense"
shows '?' "explains the name" "arrows, Esc"
keys Escape; gone "Esc closes it" "arrows, Esc"
keys C-c; gone "Ctrl-C clears the line" "> nn.Dense"
shows q "asks while a run is active" "y  leave"
keys n; gone "n: it stays" "y  leave"
shows h "shows the keys" "arrows, Esc"
letters() { tm capture-pane -p | sed -n 's/.*Ctrl-X \(.\)  .*/\1/p'; }
last() { tm capture-pane -p | grep -q -- "-\([0-9]*\) of \1,"; }
letters >"$work/letters"
for page in 1 2 3 4 5; do
    last && break
    was=$(shot); keys PageDown
    is "page $page of the help" soon "$patience" differs
    letters >>"$work/letters"
done
is "the help has an end" last
sort -u "$work/letters" >"$work/listed"
for key in $tested; do echo "$key"; done | sort -u >"$work/pressed"
if cmp -s "$work/listed" "$work/pressed"; then ok "every key of the help was pressed"; else not_ok "every key of the help was pressed"; diff "$work/listed" "$work/pressed" | sed 's/^/# /'; fi
keys Escape; gone "Esc closes the help" "arrows, Esc"
keys C-d
sees "Ctrl-D asks" "y  leave"
keys y
is "and leaves" status_is 0
is "the terminal is as it was" restored
finish
