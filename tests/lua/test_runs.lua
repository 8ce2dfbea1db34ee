-- SPDX-License-Identifier: MIT
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails = tap.ok, tap.is, tap.near, tap.fails

local d = data.moons(256, {seed = 3})
local function net(rate)
    local m = nn.Sequential{nn.Dense(16, "tanh", {input_shape = {2}}), nn.Dense(2, "softmax")}
    m:compile{optimizer = nn.Adam(rate or 0.01), loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
    return m
end
local function fit(m, options)
    options.verbose, options.wait, options.batch_size = 0, false, options.batch_size or 32
    return m:fit(d.x, d.y, options)
end

-- steering
local m = net()
local run = fit(m, {epochs = 100000, paused = true})
is(run.status, "paused", "starts paused when asked"); is(run.steps, 0, "before the first step")
run:step(3); is(run.steps, 3, "step(3) does three updates"); is(run.status, "paused", "then pauses")
run:step(); is(run.steps, 4, "step() does one")
run.learning_rate = 0.005; near(run.learning_rate, 0.005, "a new learning rate")
run:resume(); ok(run.status == "training", "resume"); run:pause(); is(run.status, "paused", "pause has taken effect when it returns")
local at = run.steps; ok(at >= 4, "steps were done"); is(run.steps, at, "and no more")
ok(#run.events >= 1, "changes are events"); local found; for _, e in ipairs(run.events) do found = found or e.label:find("lr", 1, true) end; ok(found, "the learning rate among them")
is(run.epochs, 100000, "epochs"); ok(run.budget > 0, "memory for snapshots"); run.budget = 64; near(run.budget, 64, "can be set")
ok(m.run == run, "model.run"); ok(run.model == m, "run.model"); ok(tostring(run):find("paused", 1, true), "prints its state")
-- looking into a model that trains
run:resume()
local k = m.layers[1].kernel; is(tostring(k.shape), "(2, 16)", "weights of a model under training are copies")
is(#m:predict(d.x), 256, "predict while it trains"); ok(m:evaluate(d).loss > 0, "evaluate while it trains")
m.layers[1].bias = tensor.zeros(16); ok(true, "assigning weights while it trains")
fails(function() fit(m, {epochs = 1}) end, "run " .. run.id, "a second fit is refused and names the run", "state")
fails(function() m.layers[1].trainable = false end, "run " .. run.id, "freezing a layer under training", "state")
fails(function() m:compile{optimizer = "sgd", loss = "mse"} end, "train", "compiling anew under training", "state")
fails(function() m:train_on_batch(d.x, d.y) end, "run " .. run.id, "training by hand beside a run", "state")
fails(function() d.x[1][1] = 5 end, "still reads", "data under training is not written", "state")
is(run:wait(0.02), "training", "wait(seconds) gives the status"); run:stop(); is(run.status, "stopped", "stop")
run:stop(); ok(true, "stop twice"); fails(function() run:pause() end, "stopped", "pause after the end", "state"); fails(function() run:step() end, "stopped", "step after the end")
fails(function() run.learning_rate = "x" end, "wants a number", "a rate that is text"); fails(function() run.learning_rate = -1 end, "", "a negative rate")
fails(function() run.lr = 1 end, "no field", "an unknown field"); fails(function() return run.histroy end, 'did you mean "history"', "a mistyped field", "name")
fails(function() run:paus() end, 'did you mean "pause"', "a mistyped verb"); fails(function() run:wait("x") end, "seconds", "wait for text"); fails(function() run:step(0) end, "n must be", "no steps")
fails(function() run.epochs = 0 end, "at least 1", "no epochs"); fails(function() run.budget = 0 end, "at least 1", "no memory")

-- going back: the same numbers as without going back
local function unbroken(epochs)
    nn.reset_names()
    local r = fit(net(), {epochs = epochs, seed = 5}); r:wait(); return r
end
local straight = unbroken(6)
nn.reset_names()
local back = fit(net(), {epochs = 6, seed = 5}); back:wait()
is(back.history.loss[6], straight.history.loss[6], "same seed, same loss")
back:rewind(3); is(back.status, "paused", "rewind pauses"); is(back.steps, 24, "three epochs of eight steps"); is(#back.history.loss, 3, "the history ends there")
back:resume(); is(back:wait(), "finished", "and goes on"); is(back.history.loss[6], straight.history.loss[6], "to the same loss, bit for bit")
back:rewind{step = 10}; is(back.steps, 10, "rewind to a step"); back:resume(); back:wait(); is(back.history.loss[6], straight.history.loss[6], "bit for bit again")
fails(function() back:rewind{step = 1e6} end, "", "rewind forward", "arg"); fails(function() back:rewind(-1) end, "epochs", "epochs that are negative"); fails(function() back:rewind{steps = 3} end, 'did you mean "step"', "a mistyped argument")
back.epochs = 8; is(back.epochs, 8, "the new end is told"); ok(tostring(back):find("of 8", 1, true), "and written"); is(back:wait(), "finished", "more epochs let it go on"); is(#back.history.loss, 8, "two more"); local longer = unbroken(8); is(back.history.loss[8], longer.history.loss[8], "as if they had been asked for")

-- callbacks
local seen = {}
m = net(); run = m:fit(d.x, d.y, {epochs = 3, batch_size = 64, verbose = 0, validation_split = 0.25, callbacks = {
    {on_train_begin = function(logs, r) seen[#seen + 1] = "begin" end,
     on_epoch_begin = function(epoch) seen[#seen + 1] = "e" .. epoch end,
     on_train_batch_end = function(batch, logs) seen[#seen + 1] = "b" .. batch; assert(logs.loss and logs.accuracy) end,
     on_epoch_end = function(epoch, logs, r) seen[#seen + 1] = "E" .. epoch; assert(logs.val_loss); seen.status = r.status; seen.loss = logs.loss end,
     on_train_end = function() seen[#seen + 1] = "end" end}}})
is(table.concat(seen, " "), "begin e1 b1 b2 b3 E1 e2 b1 b2 b3 E2 e3 b1 b2 b3 E3 end", "callbacks come in order, counted from 1")
is(seen.loss, run.history.loss[3], "with the epoch's logs")
m = net(); local epochs = 0
run = m:fit(d.x, d.y, {epochs = 50, verbose = 0, callbacks = {on_epoch_end = function(epoch) epochs = epoch; if epoch == 4 then m.stop_training = true end end}})
is(epochs, 4, "model.stop_training ends the run"); is(run.status, "stopped", "as stopped"); ok(m.stop_training, "and says so")
m = net(); local rates = {}
run = m:fit(d.x, d.y, {epochs = 3, verbose = 0, callbacks = {{on_epoch_begin = function(e, logs, r) r.learning_rate = 0.01 / e end}}}); near(run.history.learning_rate[3], 0.01 / 3, "a callback sets the learning rate")
m = net(); local inside
run = m:fit(d.x, d.y, {epochs = 2, verbose = 0, callbacks = {{on_epoch_end = function(e, logs, r) inside = m:evaluate(d).accuracy; assert(#m:predict(d.x) == 256); assert(m.layers[1].kernel) end}}}); ok(inside > 0, "a callback may evaluate and look at weights")
local why; m = net(); m:fit(d.x, d.y, {epochs = 1, verbose = 0, callbacks = {{on_epoch_end = function(e, logs, r) local good, e2 = pcall(r.wait, r); why = e2.message end}}})
ok(why and why:find("waits for this callback", 1, true), "waiting for a run in its own callback is an error")
fails(function() net():fit(d.x, d.y, {epochs = 2, verbose = 0, callbacks = {{on_epoch_end = function() error("my mistake") end}}}) end, "my mistake", "an error in a callback ends the run in a script")
fails(function() net():fit(d.x, d.y, {callbacks = {{on_epoch_ende = function() end}}}) end, 'did you mean "on_epoch_end"', "a mistyped event", "name"); fails(function() net():fit(d.x, d.y, {callbacks = 3}) end, "list of tables", "no callbacks")
fails(function() net():fit(d.x, d.y, {callbacks = {{on_epoch_end = 3}}}) end, "wants a function", "an event that is no function"); fails(function() net():fit(d.x, d.y, {callbacks = {3}}) end, "callback 1", "a number among them")
-- two runs at once, each with callbacks, served while Lua waits for one
local n1, n2 = 0, 0
local r1 = net():fit(d.x, d.y, {epochs = 5, verbose = 0, wait = false, callbacks = {{on_epoch_end = function() n1 = n1 + 1 end}}})
local r2 = net():fit(d.x, d.y, {epochs = 5, verbose = 0, wait = false, callbacks = {{on_epoch_end = function(e, l, r) n2 = n2 + 1; if e == 2 then r1:wait() end end}}})
r2:wait(); r1:wait(); is(n1, 5, "callbacks of a run that is waited for inside a callback of another"); is(n2, 5, "and of that other")
-- callbacks that are queued while Lua asks something of runs
n1 = 0
local a, b = fit(net(), {epochs = 20, callbacks = {{on_train_batch_end = function() n1 = n1 + 1 end}}}), fit(net(), {epochs = 1000000})
local patience = hebb.clock() + 60
while a.status ~= "finished" and hebb.clock() < patience do b.model:predict(d.x); a.model:predict(d.x); a.model:evaluate(d) end
is(a.status, "finished", "a run goes on while Lua only asks for predictions"); is(n1, 160, "with every callback"); b:stop()
local c = fit(net(), {epochs = 100000, callbacks = {{on_train_batch_end = function(batch, l, r) n1 = n1 + 1 end}}})
patience = n1 + 3; while n1 < patience do hebb.sleep(0.001) end
c:rewind{step = 1}; is(c.status, "paused", "rewind while a callback is queued"); is(c.steps, 1, "to the step"); c:resume(); c:pause(); is(c.status, "paused", "pause has taken effect though a callback was queued")
at = c.steps; c:step(3); is(c.steps, at + 3, "steps with callbacks"); c.epochs = 90000; c.budget = 32; is(c.epochs, 90000, "epochs, set meanwhile"); 
c:stop()
-- runs whose callbacks wait for one another
local first, second, why1, why2, why3
first = fit(net(), {epochs = 2, callbacks = {{on_epoch_end = function(e) if e == 1 then second:resume(); second:wait() end end}}})
second = fit(net(), {epochs = 2, paused = true, callbacks = {{on_epoch_end = function(e)
    if e > 1 then return end
    why1, why2, why3 = select(2, pcall(first.wait, first)), select(2, pcall(first.rewind, first)), select(2, pcall(function() first.epochs = 9 end))
    first.learning_rate = 0.5; first:pause(); first:resume()
end}}})
is(first:wait(), "finished", "a callback that waits for a run whose callback asks for the first"); near(first.learning_rate, 0.5, "what is only posted is done")
for i, e in ipairs{why1, why2, why3} do is(e.code, "state", "waiting in a ring is an error " .. i); ok(e.message:find("waits for this callback", 1, true), "that says why") end
local deepest, made, refused = 0, {}
local function nest(level)
    made[level] = fit(net(), {epochs = 1, callbacks = {{on_train_begin = function()
        deepest = level
        local good, e = pcall(function() if level < 6 then nest(level + 1):wait() end end)
        if not good then refused = e.message end
    end}}})
    return made[level]
end
is(nest(1):wait(), "finished", "callbacks nested too deep end"); ok(refused and refused:find("4 deep", 1, true), "with a message"); for _, r in ipairs(made) do r:wait() end
-- an ended run that goes on is a run like any other, also when its name is dropped
local one, two = fit(net(), {epochs = 1}), fit(net(), {epochs = 1}); one:wait(); two:wait(); nn.runs()
one.epochs = 100000; local id = one.id; one = nil; collectgarbage(); collectgarbage()
local listed; for _, r in ipairs(nn.runs()) do listed = r.id == id and r or listed end
ok(listed, "a run that goes on stands in the list again"); is(nn.runs()[#nn.runs()].id, two.id, "which goes by number"); if listed then is(listed.status, "training", "and trains"); listed:stop() end
-- from a coroutine
local co = coroutine.wrap(function() local r = net():fit(d.x, d.y, {epochs = 2, verbose = 0, callbacks = {{on_epoch_end = function() n1 = n1 + 1 end}}}); coroutine.yield(r.status) end)
is(co(), "finished", "fit with callbacks inside a coroutine"); ok(n1 > 7, "they ran")
-- names dropped
local done = 0
for i = 1, 3 do fit(net(), {epochs = 2, callbacks = {{on_train_end = function() done = done + 1 end}}}) end
collectgarbage(); collectgarbage()
patience = hebb.clock() + 20; while done < 3 and hebb.clock() < patience do hebb.sleep(0.01) end
is(done, 3, "runs go on to their end when every name is dropped")
-- a schedule
m = net(); m:compile{optimizer = nn.Adam{learning_rate = nn.CosineDecay(0.02, 16)}, loss = "sparse_categorical_crossentropy"}
run = fit(m, {epochs = 2}); run:wait(); ok(run.history.learning_rate[2] < 0.001, "the learning rate follows its schedule")
-- trouble
m = nn.Sequential{nn.Dense(1, {input_shape = {2}})}; m:compile{optimizer = nn.SGD(1e6), loss = "mse"}
fails(function() m:fit(d.x * 1e6, d.y, {epochs = 50, verbose = 0}) end, "failed at step", "a diverged run is an error in a script", "numeric")
-- several inputs, each with its validation data
local p, q = nn.Input{2}, nn.Input{3}
local two = nn.Model({p, q}, nn.Dense(1)(nn.Concatenate(){p, q})); two:compile{optimizer = "sgd", loss = "mse"}
local a, b, t = tensor.randn({8, 2}, {seed = 1}), tensor.randn({8, 3}, {seed = 2}), tensor.randn({8, 1}, {seed = 3})
local function fit_two(validation) return two:fit({a, b}, t, {epochs = 2, verbose = 0, validation_data = validation}) end
local seen, out = fit_two{{a, b}, t}.history, two:predict{a, b}
near(seen.val_loss[2], ((out - t) ^ 2):mean():item(), "validation data of several inputs")
fails(function() fit_two{a, t} end, "validation_data has 1 inputs, x has 2", "validation data of one input for a model of two")
local _, twice = pcall(fit_two, {{a, b}, tensor.zeros{5, 1}}); is(select(2, twice.message:gsub("validation_data", "")), 1, "where the mistake is, said once")
fails(function() fit_two{{a}, t} end, "the model has 2 inputs, the list holds 1", "a list that is too short")

-- in a script nobody else can resume what the script paused
do
    local m = nn.Sequential{nn.Dense(1, {input_shape = {2}})}
    m:compile{optimizer = "sgd", loss = "mse"}
    local r = m:fit(tensor.rand(64, 2), tensor.ones(64, 1), {epochs = 100000, batch_size = 1, wait = false, verbose = 0})
    r:pause(); is(r:wait(), "paused", "waiting for a paused run ends")
    r:step(2); is(r:wait(), "paused", "after steps, too"); is(r:wait(0), "paused", "and with no time at all")
    r:resume(); is(r:wait(0.1), "training", "one that trains is waited for")
    r:stop(); is(r:wait(), "stopped", "to its end")
end
tap.done()
