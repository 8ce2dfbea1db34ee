#!/bin/sh
# SPDX-License-Identifier: MIT
# The program itself: a screen on which nothing changes sends nothing at all, not a byte in three seconds.
. "$(dirname "$0")/lib.sh"
run="env XDG_STATE_HOME=\$state XDG_CONFIG_HOME=\$state HEBB_HOME='$root' INPUTRC=/dev/null TERM=xterm-256color '$hebb' --threads 1 --seed 1"

cat >"$work/net.lua" <<'LUA'
digits = data.digits()
model = nn.Sequential()
model:add(nn.Flatten{input_shape = {8, 8, 1}})
model:add(nn.Dense(10, "softmax"))
model:compile{optimizer = "sgd", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
run = model:fit(digits.x, digits.y, {epochs = 9000, batch_size = 64, validation_split = 0.1, wait = false})
LUA
net=$work/net.lua

sent() { wc -c <"$work/bytes"; }
silent() { was=$(sent); sleep 1; [ "$(sent)" -eq "$was" ] && sleep 1 && [ "$(sent)" -eq "$was" ] && sleep 1 && [ "$(sent)" -eq "$was" ]; }
louder() { [ "$(sent)" -gt "$1" ]; }

# Notices in the bottom line go after some seconds, so a silence may take a while to come.
watch() { # STATE
    sees "the run is $1" "$1"
    is "then not a byte is sent" soon "$patience" silent
    was=$(sent)
    type x
    is "until a key is typed" soon "$patience" louder "$was"
    keys BSpace
}

quiet() {
    state=$work/state
    eval "start 120 40 \"$run -i '$net'\""
    sees "it trains" "step"
    keys C-x p
    watch paused
    keys C-x k y
    watch stopped
    keys C-d
    is "it leaves" status_is 0
}

empty() {
    state=$work/state
    eval "start 80 24 \"$run\""
    watch "no run yet"
    keys C-d
    is "it leaves" status_is 0
}

scene quiet
scene empty
scenes
finish
