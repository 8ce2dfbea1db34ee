#!/bin/sh
# SPDX-License-Identifier: MIT
# Disks that are full or may not be written, met from Lua and by a run's own files: a clear message, the old file still loads,
# the training goes on, an event tells it. The disks are small memory file systems in a mount namespace of this test. TAP.
if [ -z "$HEBB_TEST_DISKS" ]; then
    for how in "unshare -m" "unshare -rm"; do
        if $how sh -c 'mount -t tmpfs none /mnt' 2>/dev/null; then HEBB_TEST_DISKS=1 exec $how sh "$0"; fi
    done
    echo "ok 1 - $0 # SKIP file systems cannot be mounted here (neither root nor user namespaces)"; echo "1..1"; exit 0
fi
tmp=$(mktemp -d) || exit 2
trap 'umount -l "$tmp/small" "$tmp/fixed" 2>/dev/null; rm -rf "$tmp"' EXIT
mkdir "$tmp/small" "$tmp/fixed"
mount -t tmpfs -o size=640k none "$tmp/small" || exit 2
mount -t tmpfs -o size=640k none "$tmp/fixed" || exit 2
export SMALL="$tmp/small" FIXED="$tmp/fixed" XDG_STATE_HOME="$tmp/state"
n=0
ok() { n=$((n + 1)); echo "ok $n - $1"; }
no() { n=$((n + 1)); echo "not ok $n - $1"; head -n 20 "$tmp/err" | sed 's/^/# /'; }
part() { # FILE: its lines of TAP count as ours
    timeout 100 "$HEBB" --seed 1 "$1" >"$tmp/out" 2>"$tmp/err" </dev/null; status=$?
    grep -E '^(not )?ok|^#' "$tmp/out" | while IFS= read -r line; do
        case $line in '#'*) echo "$line" ;; *) n=$((n + 1)); echo "$line" | sed "s/ok [0-9]* -/ok $n -/" ;; esac
    done
    n=$((n + $(grep -cE '^(not )?ok' "$tmp/out")))
    if [ "$status" -eq 0 ]; then ok "$2 ends well"; else no "$2 ends well (status $status)"; fi
}
cat >"$tmp/head.lua" <<'LUA'
tap = dofile("tests/lua/tap.lua")
small, fixed = os.getenv("SMALL"), os.getenv("FIXED")
points = tensor{{0.5, -1}, {2, 3}, {-1, 0.25}}
function fill() os.execute("cat /dev/zero > " .. small .. "/ballast 2>/dev/null") end
function empty() os.remove(small .. "/ballast") end
function files(folder) local list = io.popen("ls -A " .. folder):read("a") return (list:gsub("\n", " ")) end
function net(units)
    local m = nn.Sequential{nn.Dense(units, "tanh", {input_shape = {2}}), nn.Dense(2, "softmax")}
    m:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy"}
    return m
end
function same(a, b)
    return a.layers[1].units == b.layers[1].units and (a:predict(points) - b:predict(points)):abs():max():item() == 0
end
function told(run, text)
    for _, event in ipairs(run.events) do if event.text:find(text, 1, true) then return event.text end end
end
LUA

cp "$tmp/head.lua" "$tmp/saving.lua"
cat >>"$tmp/saving.lua" <<'LUA'
local old, path = net(64), small .. "/m.safetensors"
old:save(path)
for _, ending in ipairs{"npy", "npz", "csv", "safetensors"} do tensor{{1, 2}, {3, 4}}:save(small .. "/t." .. ending) end
local before = files(small)
fill()
tap.fails(function() net(8192):save(path) end, "No space left on device", "a model on a full disk is refused", "io")
tap.fails(function() net(8192):save(path) end, path, "and the message names the file")
tap.ok(same(nn.load(path), old), "the old model is still there and loads")
local big = tensor.zeros(400, 400)
for _, ending in ipairs{"npy", "npz", "csv", "safetensors"} do
    local file = small .. "/t." .. ending
    tap.fails(function() big:save(file) end, "No space left on device", ending .. " on a full disk is refused", "io")
    local back = tensor.load(file)
    if type(back) == "table" then back = select(2, next(back)) end
    tap.is(tostring(back:sum():item()), "10.0", "the old ." .. ending .. " still loads")
end
empty()
tap.is(files(small), before, "nothing half written is left")
net(64):save(path)
tap.ok(not same(nn.load(path), old), "with room again the file is replaced")

old:save(fixed .. "/m.safetensors"); tensor{5}:save(fixed .. "/t.npy")
assert(os.execute("mount -o remount,ro " .. fixed))
tap.fails(function() net(8):save(fixed .. "/m.safetensors") end, "Read-only file system", "a model in a folder that may not be written is refused", "io")
tap.fails(function() net(8):save(fixed .. "/new.safetensors") end, fixed .. "/new.safetensors", "and the message names the file", "io")
tap.fails(function() tensor{6}:save(fixed .. "/t.npy") end, "Read-only file system", "a tensor too", "io")
tap.ok(same(nn.load(fixed .. "/m.safetensors"), old) and tensor.load(fixed .. "/t.npy")[1] == 5, "the old files load")
tap.done()
LUA
part "$tmp/saving.lua" "saving on a full and on a read-only disk"

# The run's own folder on the small disk: first with room, then full, then with room again.
cp "$tmp/head.lua" "$tmp/autosave.lua"
cat >>"$tmp/autosave.lua" <<'LUA'
local m = net(64)
local run = m:fit(data.moons(64), {epochs = 1e6, verbose = 0, wait = false, paused = true})
local file = run.folder .. "/autosave.safetensors"
local function soon(test) for i = 1, 1500 do if test() then return true end; hebb.sleep(0.01) end end
local function saved() local good, model = pcall(nn.load, file); return good and same(model, m) end
local function train(k) -- and pause, which saves
    local goal = run.steps + k
    run:resume()
    local came = soon(function() return run.steps >= goal end)
    run:pause()
    return came
end
train(4)
tap.ok(soon(saved), "a pause saves the run while there is room")
tap.ok(not told(run, "recording failed"), "without a complaint")
local first = nn.load(file)
fill()
tap.ok(train(10), "the training goes on when the disk is full")
tap.ok(soon(function() return told(run, "recording failed") end), "an event tells it")
local event = told(run, "recording failed, training goes on") or ""
tap.ok(event:find("No space left", 1, true), "and why: " .. event)
tap.ok(not same(m, first) and same(nn.load(file), first), "the old autosave is still there and loads")
tap.ok(not files(run.folder):find(".autosave", 1, true), "nothing half written is left: " .. files(run.folder))
empty()
tap.ok(train(4) and soon(saved), "with room again the run is saved again")
run:stop()
tap.ok(run:wait() == "stopped" and soon(saved), "and at its end")
tap.done()
LUA
XDG_STATE_HOME=$SMALL part "$tmp/autosave.lua" "a run whose disk fills up"

cp "$tmp/head.lua" "$tmp/fixed.lua"
cat >>"$tmp/fixed.lua" <<'LUA'
local m = net(8)
local run = m:fit(data.moons(64), {epochs = 5, verbose = 0, wait = false, paused = true})
run:step(2)
for i = 1, 400 do if told(run, "recording failed") then break end; hebb.sleep(0.02) end
local event = told(run, "recording failed, training goes on")
tap.ok(event and event:find("Read-only file system", 1, true), "a folder that may not be written is told: " .. tostring(event))
run:resume()
tap.is(run:wait(), "finished", "and the run trains to its end")
tap.is(#run.history.loss, 5, "with its history")
tap.done()
LUA
XDG_STATE_HOME=$FIXED part "$tmp/fixed.lua" "a run whose folder may not be written"

# A save inside a callback holds a whole epoch: another process goes on from it to the same bytes.
cat >"$tmp/parts.lua" <<'LUA'
local folder, what = arg[1], arg[2]
local m = nn.Sequential{nn.Dense(16, "relu", {input_shape = {2}}), nn.BatchNormalization(), nn.Dropout(0.3), nn.Dense(2, "softmax")}
m:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
local function keep(epoch, logs, run)
    if epoch == 3 and what == "whole" then run:save(folder .. "/by-run.safetensors"); m:save(folder .. "/by-model.safetensors") end
end
local how = {epochs = 6, batch_size = 24, validation_split = 0.25, verbose = 0, callbacks = {{on_epoch_end = keep}}}
if what ~= "whole" then how.resume = folder .. "/" .. what .. ".safetensors" end
local run = m:fit(data.moons(100), how)
local history = m.run.history
m:save(folder .. "/" .. what .. "-end.safetensors")
for i = 5, 6 do print(string.format("%d %a %a %a", i, history.loss[i], history.val_loss[i], history.accuracy[i])) end
LUA
for what in whole by-run by-model; do "$HEBB" --seed 7 "$tmp/parts.lua" "$tmp" $what >"$tmp/$what" 2>>"$tmp/err" </dev/null; done
for what in by-run by-model; do
    if [ -s "$tmp/whole" ] && cmp -s "$tmp/whole" "$tmp/$what"; then ok "saved $what in on_epoch_end, resumed elsewhere: the same losses"
    else no "saved $what in on_epoch_end, resumed elsewhere: the same losses"; diff "$tmp/whole" "$tmp/$what" | sed 's/^/# /'; fi
    if cmp -s "$tmp/whole-end.safetensors" "$tmp/$what-end.safetensors"; then ok "and the same file at the end"; else no "and the same file at the end"; fi
done
echo "1..$n"
