#!/bin/sh
# SPDX-License-Identifier: MIT
# Files that callbacks write: under --safe none stands outside the folder, whatever the names and links say; a script that was killed goes
# on from its backup to the same weights, bit for bit. TAP.
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
n=0
ok() { n=$((n + 1)); echo "ok $n - $1"; }
no() { n=$((n + 1)); echo "not ok $n - $1"; sed 's/^/# /' "$tmp/out" "$tmp/err" 2>/dev/null | head -n 20; }
mkdir "$tmp/inside" "$tmp/outside"
cd "$tmp/inside" || exit 2
ln -s ../outside away
ln -s ../outside/new.csv link.csv
mkdir logs; ln -s ../../outside logs/train
ln -s ../outside/two.safetensors kept-2.safetensors

cat >fit.lua <<'LUA'
local make = load("return " .. arg[1])
local m = nn.Sequential{nn.Dense(2, {input_shape = {2}})}
m:compile{optimizer = "sgd", loss = "mse"}
local ok, e = pcall(function() m:fit({{1, 2}, {3, 4}}, {{1, 2}, {3, 4}}, {epochs = 3, verbose = 0, callbacks = {make()}}) end)
print(ok and "trained" or tostring(e))
LUA
refused() { # TITLE CALLBACK
    timeout 60 "$HEBB" --safe fit.lua "$2" >"$tmp/out" 2>"$tmp/err" </dev/null
    if ! grep -q '^trained' "$tmp/out" && grep -qE 'safe|link' "$tmp/out" && [ -z "$(ls -A "$tmp/outside")" ]; then ok "$1"; else no "$1"; fi
}
refused "a file above" 'nn.CSVLogger("../outside/log.csv")'
refused "a file by a link to a folder" 'nn.CSVLogger("away/log.csv")'
refused "a file by a link to a file" 'nn.CSVLogger("link.csv")'
refused "event files above" 'nn.TensorBoard("../outside")'
refused "event files by a link within their folder" 'nn.TensorBoard("logs")'
refused "a checkpoint above, with a value in its name" 'nn.ModelCheckpoint("../outside/{epoch}.safetensors")'
refused "a checkpoint whose folder leads away" 'nn.ModelCheckpoint("away/{epoch}.safetensors")'
refused "a checkpoint whose second name is a link" 'nn.ModelCheckpoint("kept-{epoch}.safetensors")'
refused "a backup above" 'nn.BackupAndRestore("../outside/backup")'
timeout 60 "$HEBB" --safe fit.lua 'nn.ModelCheckpoint("mine-{epoch}.safetensors")' >"$tmp/out" 2>"$tmp/err" </dev/null
if grep -q '^trained' "$tmp/out" && [ -f mine-1.safetensors ] && [ -f mine-3.safetensors ]; then ok "inside it is written"; else no "inside it is written"; fi

cat >long.lua <<'LUA'
local d = data.moons(400, {seed = 1})
local m = nn.Sequential{nn.Dense(32, "tanh", {input_shape = {2}}), nn.Dropout(0.3), nn.Dense(2, "softmax")}
m:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy"}
local run = m:fit(d, {epochs = 40, verbose = 0, autosave = false, callbacks = {nn.BackupAndRestore("backup"), {on_epoch_end = function(epoch, _, r)
    if arg[1] == "slow" then hebb.sleep(0.05); io.stderr:write("epoch ", epoch, "\n") end
end}}})
m:save(arg[2])
print(run.steps, run.history.loss[1], run.history.loss[40])
LUA
timeout 60 "$HEBB" --seed 7 long.lua fast whole.safetensors >"$tmp/whole" 2>"$tmp/err" </dev/null
if [ ! -e backup/latest.safetensors ]; then ok "a backup is removed at the end"; else no "a backup is removed at the end"; fi
timeout 60 "$HEBB" --seed 7 long.lua slow broken.safetensors >"$tmp/out" 2>"$tmp/err" </dev/null &
pid=$!
i=0; until grep -q 'epoch 6' "$tmp/err"; do i=$((i + 1)); [ $i -lt 200 ] || break; sleep 0.1; done
child=$(ps -o pid= --ppid $pid | head -n 1); kill -9 ${child:-$pid}; wait $pid 2>/dev/null
if [ -s backup/latest.safetensors ] && [ ! -e broken.safetensors ]; then ok "killed, it leaves a backup"; else no "killed, it leaves a backup"; fi
timeout 60 "$HEBB" --seed 99 long.lua slow broken.safetensors >"$tmp/out" 2>"$tmp/err" </dev/null
if cmp -s "$tmp/whole" "$tmp/out"; then ok "the same script goes on to the same losses"; else no "the same script goes on to the same losses"; fi
if grep -q 'epoch 40' "$tmp/err" && ! grep -q 'epoch 5$' "$tmp/err"; then ok "from where it was killed"; else no "from where it was killed"; fi
if cmp -s whole.safetensors broken.safetensors; then ok "and the same file"; else no "and the same file"; fi
echo "1..$n"
