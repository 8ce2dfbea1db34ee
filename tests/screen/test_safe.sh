#!/bin/sh
# SPDX-License-Identifier: MIT
# --safe in the real program: scripts, the line prompt and the dashboard write nothing outside the folder they were started in,
# start no program, read no init file, keep no history. The same session without --safe shows that the test can see all that.
. "$(dirname "$0")/lib.sh"
home=$work/home
folder=$work/folder
mkdir -p "$home/.config/hebb" "$folder" "$work/outside"
echo 'print("the init file ran")' >"$home/.config/hebb/init.lua"
echo '1,2' >"$work/outside/secret.csv"
ln -s "$work/outside/new.npy" "$folder/dangling.npy"
ln -s "$work/outside/secret.csv" "$folder/secret.csv"
ln -s "$work/outside" "$folder/door"
mkdir "$folder/digits" "$folder/pictures"
for part in train t10k; do # sets that would load, if their links were followed
    printf '\0\0\10\3\0\0\0\1\0\0\0\1\0\0\0\1x' >"$work/outside/$part-images-idx3-ubyte"
    printf '\0\0\10\1\0\0\0\1\1' >"$work/outside/$part-labels-idx1-ubyte"
    ln -s "$work/outside/$part-images-idx3-ubyte" "$work/outside/$part-labels-idx1-ubyte" "$folder/digits"
done
head -c 3073 /dev/zero >"$work/outside/data_batch_1.bin"
ln -s "$work/outside/data_batch_1.bin" "$folder/pictures"
env="env -u XDG_STATE_HOME -u XDG_CONFIG_HOME -u XDG_DATA_HOME -u XDG_CACHE_HOME HOME=$home INPUTRC=/dev/null"

cat >"$folder/train.lua" <<'LUA'
local m = nn.Sequential{nn.Dense(4, "tanh", {input_shape = {2}}), nn.Dense(2, "softmax")}
m:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy"}
m:fit(data.moons(64), {epochs = 2, verbose = 0, autosave = true})
m:save("inside.safetensors")
tensor{1}:save("inside.npy")
print("trained, folder [" .. m.run.folder .. "]")
LUA
cat >"$folder/reach.lua" <<'LUA'
local tries = {
    function() os.execute("touch " .. arg[1] .. "/shell") end, function() io.popen("touch " .. arg[1] .. "/shell") end,
    function() io.open(arg[1] .. "/opened", "w") end, function() io.output(arg[1] .. "/opened") end, function() io.lines(arg[1] .. "/secret.csv") end,
    function() os.remove(arg[1] .. "/secret.csv") end, function() os.rename(arg[1] .. "/secret.csv", "stolen.csv") end, function() os.tmpname() end,
    function() dofile(arg[1] .. "/x.lua") end, function() require("x") end, function() return os.getenv("HOME") .. "" end,
    function() tensor{1}:save(arg[1] .. "/t.npy") end, function() tensor{1}:save("../outside/t.npy") end,
    function() tensor{1}:save("door/t.npy") end, function() tensor{1}:save("dangling.npy") end,
    function() data.csv("secret.csv") end, function() data.csv("door/secret.csv") end, function() data.csv("../outside/secret.csv") end,
    function() nn.Sequential{nn.Dense(1, {input_shape = {1}})}:save("../outside/m.safetensors") end,
    function() nn.load("../outside/m.safetensors") end, function() data.mnist(arg[1]) end, function() tour() end,
    function() data.mnist("digits") end, function() data.cifar10("pictures") end, function() data.mnist(".") end,
    function() debug.sethook(print) end, function() string.dump(print) end,
}
local reached = {}
for i, try in ipairs(tries) do if pcall(try) then reached[#reached + 1] = i end end
print("reached [" .. table.concat(reached, " ") .. "] of " .. #tries)
LUA

outside() { (cd "$work" && find home outside | LC_ALL=C sort; cat "$work/outside/secret.csv") >"$work/$1"; }
untouched() { outside now; cmp -s "$work/was" "$work/now"; }
outside was

(cd "$folder" && $env "$hebb" --safe train.lua) >"$work/log" 2>&1
is "a training with --safe ends well and records nothing" grep -qF 'trained, folder []' "$work/log"
is "it may write inside the folder" test -s "$folder/inside.safetensors" -a -s "$folder/inside.npy"
is "and has written nothing outside" untouched
(cd "$folder" && $env "$hebb" --safe reach.lua "$work/outside") >"$work/log" 2>&1
is "no function reaches out of the folder" grep -qF 'reached [] of 27' "$work/log"
is "nothing outside has changed" untouched
(cd "$folder" && $env "$hebb" -e 'print(#data.mnist("digits"), #data.cifar10("pictures"))') >"$work/log" 2>&1
is "without --safe the linked sets load" grep -q '^1.*1$' "$work/log"
(cd / && $env "$hebb" --safe -e 'print(pcall(tensor.load, "none.npy"))') >"$work/log" 2>&1
is "in the folder / every file is below" grep -q 'none.npy.*No such file' "$work/log"

session() { # NAME OPTIONS: the same lines typed into each face
    start 100 30 "cd $folder; $env $hebb $2"
    sees "$1 starts" ">" 20
    type '6 * 7000'; keys Enter
    sees "$1 answers" "42000"
    type '$ touch ../outside/shell'; keys Enter
    sees "$1 refuses a shell command" "no other programs are started"
    type 'dofile == nil and #arg'; keys Enter
    type 'm = nn.Sequential{nn.Dense(2, "softmax", {input_shape = {2}})}; m:compile{optimizer = "sgd", loss = "sparse_categorical_crossentropy"}'; keys Enter
    type 'r = m:fit(data.moons(64), {epochs = 3}); print("status " .. r:wait() .. " in [" .. r.folder .. "]")'; keys Enter
    sees "$1 trains and records nothing" "status finished in []"
    is "$1 ran no init file" not_on_screen "the init file ran"
    type 'os.exit()'; keys Enter
    is "$1 ends" soon 10 ended
    is "$1 has written nothing outside the folder" untouched
}
session "the line prompt with --safe" "--safe --plain"
session "the dashboard with --safe" "--safe"

# The control: without --safe all of it happens.
start 100 30 "cd $folder; $env $hebb --plain -i train.lua"
sees "without --safe the init file runs" "the init file ran" 20
type '$ touch ../outside/shell'; keys Enter
is "and programs" soon 10 test -e "$work/outside/shell"
type 'os.exit()'; keys Enter
is "it ends" soon 10 ended
is "a history is kept" grep -q 'touch' "$home/.local/state/hebb/history"
is "and the run is recorded" sh -c "find '$home' -name '*autosave*' -o -name '*.csv' | grep -q ."
finish
