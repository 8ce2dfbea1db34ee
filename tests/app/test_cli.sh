#!/bin/sh
# The command line: what it answers, its exit statuses, signals to a script, closed streams. TAP.
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
n=0
ok() { n=$((n + 1)); echo "ok $n - $1"; }
no() { n=$((n + 1)); echo "not ok $n - $1"; sed 's/^/# /' "$tmp/out" "$tmp/err" 2>/dev/null | head -n 20; }
run() { "$HEBB" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null; status=$?; }
seen() { [ -z "$1" ] || grep -qE -- "$1" "$2"; }
expect() { # TITLE STATUS PATTERN-IN-OUT PATTERN-IN-ERR
    if [ "$status" -eq "$2" ] && seen "$3" "$tmp/out" && seen "$4" "$tmp/err"; then ok "$1"; else no "$1 (status $status)"; fi
}
# Wait until a file holds a pattern, at most 20 seconds.
until_seen() { i=0; until grep -qE "$2" "$1" 2>/dev/null; do i=$((i + 1)); [ $i -lt 200 ] || return 1; sleep 0.1; done; }

run -h;                       expect "-h explains" 0 'hebb FILE' ''
run -v;                       expect "-v tells versions" 0 'OpenBLAS' ''
run -v;                       expect "-v names the libraries of the screen" 0 'ncurses [0-9.]+, readline [0-9.]+' ''
run -v;                       expect "-v names those of files" 0 'zlib [0-9.]+, liblzma [0-9.]+' ''
run -e 'print(help("run"))';  expect "a list in help has whole sentences" 0 'run:rewind\{step = 400\} to that update\.$' ''
run -e 'print(nn.Sequential():summary())'
expect "an empty model says what to do" 0 'has no layers yet' ''
run -e 'print(6 * 7)';        expect "-e runs code" 0 '^42$' ''
run -e 'error("no luck")';    expect "an error in the user's code is status 1" 1 '' 'no luck'
run -e 'nn.Dens(3)';          expect "a mistyped name has a suggestion" 1 '' 'did you mean nn.Dense'
run -e 'os.exit(7)';          expect "os.exit gives its status" 7 '' ''
run --thread 2;               expect "a mistyped option has a suggestion" 2 '' 'did you mean "threads"'
run --threads 0;              expect "threads out of range" 2 '' 'whole number from 1'
run --seed;                   expect "an option without its value" 2 '' 'wants N behind it'
run -w;                       expect "-w wants a file" 2 '' 'wants a FILE'
run "$tmp/none.lua";          expect "a file that is not there" 1 '' 'none.lua'
run bench nonsense;           expect "an unknown workload" 2 '' 'no workload'
run bench xor_b33;            expect "a mistyped workload has a suggestion" 2 '' 'did you mean "xor_b32"'
run bench --threads 2x;       expect "bench refuses half a number" 2 '' 'whole number from 1'
run bench --help;             expect "bench --help names the workloads" 0 'cifar_cnn_infer_b256' ''
run bench --json --threads 1 --blocks 1 xor_b32
expect "bench --json has the fields of its peers" 0 \
    '^\{"peer": "hebb-[0-9.]+", "workload": "xor_b32", "threads": 1, "ms_per_step": [0-9.]+, "samples_per_s": [0-9.]+[,}]' ''
run -h; sed -n 's/^    //p' "$HEBB_HOME/README.md" >"$tmp/readme"
if sed '1,2d; /^$/d' "$tmp/out" | while IFS= read -r line; do grep -qxF -- "$line" "$tmp/readme" || { echo "# README lacks: $line"; exit 1; }; done
then ok "the README's command line is that of -h"; else no "the README's command line is that of -h"; fi
echo 'print("from a pipe")' | "$HEBB" >"$tmp/out" 2>"$tmp/err"; status=$?
expect "Lua from standard input" 0 'from a pipe' ''
printf 'print(arg[1], arg[2])\n' >"$tmp/a.lua"
run "$tmp/a.lua" one two;     expect "arguments of a script" 0 'one.*two' ''
run -e 'print(...)' one two;  expect "arguments of a piece of code" 0 'one.*two' ''
echo 'print("piped", ...)' | "$HEBB" - one >"$tmp/out" 2>"$tmp/err"; status=$?
expect "- is standard input, with arguments" 0 'piped.*one' ''
printf 'print(1)\0print(2)\n' | "$HEBB" >"$tmp/out" 2>"$tmp/err"; status=$?
expect "a zero byte in standard input is refused" 1 '' 'zero byte'
run -e 'local x
print(x.y)';                  expect "an error tells its line" 1 '' 'command line\):2:.*print\(x\.y\)'
run --theme drak -e 'print(1)'; expect "a theme that is not there" 2 '' 'no theme "drak"'
if [ -s "$tmp/out" ]; then no "and nothing runs then"; else ok "and nothing runs then"; fi
"$HEBB" --seed 5 -e 'print(math.random(1000000))' >"$tmp/1" 2>/dev/null; "$HEBB" --seed 5 -e 'print(math.random(1000000))' >"$tmp/2" 2>/dev/null
if cmp -s "$tmp/1" "$tmp/2" && [ -s "$tmp/1" ]; then ok "the same seed gives the same numbers"; else no "the same seed gives the same numbers"; fi
"$HEBB" -e 'print(1)' >&- 2>"$tmp/err" </dev/null; status=$?
if [ "$status" -lt 126 ]; then ok "a closed standard output is no crash"; else no "a closed standard output is no crash ($status)"; fi
"$HEBB" -e 'for i = 1, 1e5 do print(i) end' 2>/dev/null </dev/null | head -n 1 >"$tmp/out"
if [ "$(cat "$tmp/out")" = 1 ]; then ok "a pipe that closes early is no hang"; else no "a pipe that closes early is no hang"; fi

"$HEBB" -e 'io.stderr:write("begun\n") while true do end' >"$tmp/out" 2>"$tmp/err" </dev/null & pid=$!
until_seen "$tmp/err" begun; kill -INT $pid; wait $pid; status=$?
[ "$status" -eq 130 ] && ok "SIGINT ends a loop with status 130" || no "SIGINT ends a loop with status 130 (got $status)"

cat >"$tmp/train.lua" <<'LUA'
local d = data.spiral(300)
local m = nn.Sequential()
m:add(nn.Dense(16, "relu", {input_shape = {2}}))
m:add(nn.Dense(3, "softmax"))
m:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
m:fit(d.x, d.y, {epochs = 1000000})
LUA
# 200 quick epochs: a line a second or so, all 200, none
lines() { sed "s/epochs = 1000000/epochs = 200, verbose = $1/" "$tmp/train.lua" >"$tmp/v.lua"; "$HEBB" "$tmp/v.lua" >"$tmp/out" 2>"$tmp/err" </dev/null; grep -c '^epoch' "$tmp/err"; }
some=$(lines 1); all=$(lines 2); none=$(lines 0)
if [ "$some" -gt 0 ] && [ "$some" -lt 200 ] && [ "$all" -eq 200 ] && [ "$none" -eq 0 ]; then ok "verbose = 1, 2 and 0"; else no "verbose = 1, 2 and 0 ($some, $all, $none lines)"; fi
# Killed in the middle of an epoch: the autosave alone is enough to go on, exactly, in another process
cat >"$tmp/part.lua" <<'LUA'
local x, how = nn.Input({2}, {name = "x"}), {epochs = 4, batch_size = 16, seed = 3, verbose = 0, wait = false}
local d, y = data.moons(100, {seed = 1}), {}
for i = 1, 100 do y[i] = d.x[i][1] end
if arg[1] ~= "resume" then
    local h = nn.Dense(8, "tanh")(x)
    m = nn.Model(x, {nn.Dense(2, "softmax", {name = "kind"})(h), nn.Dense(1, {name = "place"})(h)})
    m:compile{optimizer = "adam", loss = {kind = "sparse_categorical_crossentropy", place = "mse"}, loss_weights = {1, 0.5}, metrics = {kind = {"accuracy"}}}
    how.paused = arg[1] == "part"
else
    m, how.resume = nn.load(arg[2]), arg[2]
end
local run = m:fit(d.x, {d.y, y}, how)
if how.paused then run:step(10) io.stderr:write("file ", run.folder, "/autosave.safetensors\n") while true do hebb.sleep(1) end end
run:wait()
local digits = tensor{1 / 3}[1] ~= 1 / 3 and "%.17g" or "%.5f" -- files hold float32
print((digits .. " " .. digits):format(run.history.loss[4], run.history.kind_accuracy[4]))
LUA
XDG_STATE_HOME="$tmp/state"; export XDG_STATE_HOME
"$HEBB" --seed 8 "$tmp/part.lua" whole >"$tmp/whole" 2>"$tmp/err" </dev/null
"$HEBB" --seed 8 "$tmp/part.lua" part >"$tmp/out" 2>"$tmp/err" </dev/null & pid=$!
until_seen "$tmp/err" '^file'; i=0; file=$(sed -n 's/^file //p' "$tmp/err")
until [ -f "$file" ] || [ $i -gt 100 ]; do i=$((i + 1)); sleep 0.1; done
kill -KILL $pid; wait $pid 2>/dev/null
"$HEBB" --seed 99 "$tmp/part.lua" resume "$file" >"$tmp/out" 2>"$tmp/err" </dev/null; status=$?
if [ -s "$tmp/whole" ] && cmp -s "$tmp/whole" "$tmp/out"; then ok "a killed process's autosave goes on exactly, with nothing compiled anew"
else no "a killed process's autosave goes on exactly (status $status; wanted $(cat "$tmp/whole"))"; fi
for signal in INT TERM; do
    "$HEBB" "$tmp/train.lua" >"$tmp/out" 2>"$tmp/err" </dev/null & pid=$!
    until_seen "$tmp/err" '[0-9]/1'; kill -$signal $pid; wait $pid; status=$?
    want=130; [ $signal = TERM ] && want=143
    [ "$status" -eq "$want" ] && ok "SIG$signal stops a training at its boundary, status $want" || no "SIG$signal stops a training (got $status)"
done
echo "1..$n"
