#!/bin/sh
# SPDX-License-Identifier: MIT
# Callbacks written in Lua have their turn while a line is typed, in both faces; Ctrl-C ends one that loops, not the training.
. "$(dirname "$0")/lib.sh"
cat >"$work/net.lua" <<'LUA'
m = nn.Sequential{nn.Dense(4, "tanh", {input_shape = {2}}), nn.Dense(2, "softmax")}
m:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy"}
function go(f) r = m:fit(data.moons(64), {epochs = 1e6, verbose = 0, wait = false, callbacks = {{on_epoch_end = f}}}) end
LUA
for face in --plain ""; do
    name="the dashboard"; [ -z "$face" ] || name="the line prompt"
    start 100 30 "env HOME=$work INPUTRC=/dev/null $hebb --safe $face -i $work/net.lua"
    sees "$name starts" ">" 20
    type 'go(function(e) if e == 3 then print("epoch " .. "three seen") end end)'; keys Enter
    type '"not yet'
    sees "$name: a callback speaks while a line is typed" "epoch three seen" 20
    sees "$name: the line stays" '"not yet'
    type ' entered" .. "!"'; keys Enter
    sees "$name: and is entered" "not yet entered!"
    type 'r:stop(); go(function(e) if e == 2 then print("loop " .. "begun"); while true do end end end)'; keys Enter
    sees "$name: a callback loops" "loop begun" 20
    keys C-c
    sees "$name: Ctrl-C ends it" "interrupted" 20
    type 'a = r.steps; hebb.sleep(0.3); print("so it " .. (r.steps > a and "goes on" or "stands"))'; keys Enter
    sees "$name: the training goes on" "so it goes on" 20
    type 'os.exit(3)'; keys Enter
    is "$name ends with the status given, while the run trains" status_is 3
done
finish
