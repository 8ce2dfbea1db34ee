#!/bin/sh
# What watching costs: the same training with the dashboard open and without one (`--plain`), in turns, at one thread, so that the
# processor's time is what counts. Printed for each pair: processor time of the whole process for the same steps, with and without,
# and the share of it that the thread of the screen (the first one of the process) took by its own clock; then the medians. The
# difference of the two holds the pictures of layers, too, which the trainer makes only while somebody looks.
# Usage: scripts/workshop/cost.sh [PAIRS [COLUMNS ROWS [EPOCHS]]]        needs tmux; meaningful only while little else runs
set -eu
cd "$(dirname "$0")/../.."
pairs=${1:-5} columns=${2:-120} rows=${3:-40} epochs=${4:-40}
work=$(mktemp -d) server="hebb-cost-$$"
trap 'tmux -L "$server" kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
cat >"$work/net.lua" <<LUA
local digits = data.digits()
local model = nn.Sequential()
model:add(nn.Rescaling(1/16, {input_shape = {8, 8, 1}}))
model:add(nn.Conv2D(32, 3, {padding = "same", activation = "relu"}))
model:add(nn.Conv2D(32, 3, {padding = "same", activation = "relu"}))
model:add(nn.Flatten())
model:add(nn.Dense(10, "softmax"))
model:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
local pid = math.tointeger(io.open("/proc/self/stat"):read("n"))
local function words(path)
  local list, text = {}, io.open(path):read("a")
  for word in text:gsub("^.*%) ", ""):gmatch("%S+") do list[#list + 1] = tonumber(word) or word end
  return list
end
local function clocks() -- seconds so far: of the process (ticks of 1/100), of the screen's thread (nanoseconds)
  local process, thread = words("/proc/self/stat"), words("/proc/self/task/" .. pid .. "/schedstat")
  return (process[12] + process[13]) / 100, thread[1] / 1e9
end
local process, thread = clocks()
model:fit(digits.x, digits.y, {epochs = $epochs, batch_size = 32, validation_split = 0.1, wait = true})
local process_end, thread_end = clocks()
local file = io.open(arg[1], "w")
file:write(process_end - process, " ", thread_end - thread, "\n")
file:close()
LUA
turn=0
once() { # OUT OPTION…: run it in a terminal of its own; wait for its figures
    out=$1 turn=$((turn + 1)) server="hebb-cost-$$-$turn"; shift
    rm -f "$out"
    tmux -L "$server" -f /dev/null new-session -d -x "$columns" -y "$rows" \
        "env XDG_STATE_HOME=$work LC_ALL=C.UTF-8 TERM=tmux-256color COLORTERM=truecolor build/hebb --threads 1 --seed 1 $* '$work/net.lua' '$out'"
    n=0
    until [ -s "$out" ]; do
        n=$((n + 1))
        [ "$n" -lt 3000 ] || { echo "cost: no figures in five minutes" >&2; exit 1; }
        sleep 0.1
    done
    tmux -L "$server" kill-server 2>/dev/null || true
}
i=0
while [ "$i" -lt "$pairs" ]; do
    once "$work/with" -w
    once "$work/without" --plain
    echo "$(cat "$work/with") $(cat "$work/without")" >>"$work/pairs"
    tail -n 1 "$work/pairs" | awk '{ printf "with %.2f s, without %.2f s (%+.1f %%); the screen'"'"'s own thread %.3f s (%.2f %%)\n", $1, $3, 100 * ($1 - $3) / $3, $2, 100 * $2 / $1 }'
    i=$((i + 1))
done
median() { sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
echo "medians of $pairs pairs: processor time $(awk '{ print 100 * ($1 - $3) / $3 }' "$work/pairs" | median) % more, the screen's thread $(awk '{ print 100 * $2 / $1 }' "$work/pairs" | median) %"
