-- SPDX-License-Identifier: MIT
-- Loops written in Lua: tape, optimizer:apply, nn.job, run:log.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails = tap.ok, tap.is, tap.near, tap.fails

local x = tensor.rand(64, 3, {seed = 1})
local y = x:sum{axis = -1, keepdims = true}
local mse = nn.losses.MeanSquaredError()
local function net(rate)
    nn.reset_names()
    return nn.Sequential{nn.Dense(8, "relu", {input_shape = {3}}), nn.BatchNormalization(), nn.Dropout(rate or 0.2), nn.Dense(1)}
end
local function same(a, b)
    for i, layer in ipairs(a.layers) do
        for k, weight in ipairs(layer.weights) do
            if not (weight == b.layers[i].weights[k]) then return false end
        end
    end
    return true
end
local function job(model, step, options)
    local all = {models = model, data = {x, y}, epochs = 3, batch_size = 20, seed = 5, verbose = 0, step = step}
    for k, v in pairs(options or {}) do all[k] = v end
    return nn.job(all)
end
local function regression(model, optimizer)
    return function(job, x, y)
        local loss = tape(function() return mse(y, model(x)) end)
        optimizer:apply(loss, model)
        job:log{loss = loss}
    end
end

-- ---- as fit does it ----
local fitted, own = net(0), net(0)
fitted:compile{optimizer = nn.Adam{learning_rate = 0.01}, loss = "mse"}
local run = fitted:fit(x, y, {epochs = 3, batch_size = 20, seed = 5, verbose = 0})
local mine = job(own, regression(own, nn.Adam{learning_rate = 0.01}))
ok(same(fitted, own), "the loop that fit does gives the bits of fit, moving averages too")
near(mine.history.loss[3], run.history.loss[3], "and its curve")
is(mine.status, "finished", "a run like any other"); is(mine.steps, 12, "its steps"); is(mine.epochs, 3, "its epochs")
is(mine.model.name, own.name, "it knows its model")

-- ---- the same seed, the same bytes ----
local a, b = net(), net()
job(a, regression(a, nn.Adam())); tensor.rand(7); job(b, regression(b, nn.Adam()))
ok(same(a, b), "dropout and order come from the seed of the job, not from what was drawn before")
local function noisy(model, opt) return function(job, x, y)
    local loss = tape(function() return mse(y, model(x + tensor.randn(#x, 3))) end)
    opt:apply(loss, model); job:log{loss = loss} end end
a, b = net(), net()
job(a, noisy(a, nn.Adam())); tensor.rand(7); job(b, noisy(b, nn.Adam()))
ok(same(a, b), "tensor.randn in a step, too")

local program = [[local m, adam = nn.Sequential{nn.Dense(96, "relu", {input_shape = {3}}), nn.Dropout(0.2), nn.Dense(1)}, nn.Adam()
local x = tensor.rand(300, 3); nn.job{models = m, data = x, batch_size = 50, epochs = 3, verbose = 0, step = function(job, x)
local loss = tape(function() return (m(x + tensor.randn(#x, 3)) - 1):square():mean() end); adam:apply(loss, m); job:log{loss = loss} end}
local sum = 0; for _, w in ipairs(m.layers[1].weights) do sum = sum + w:sum():item() end; print(("%.17g"):format(sum))]]
local outcomes = {}
for threads = 1, 3 do
    local pipe = io.popen(("'%s' --seed 4 --threads %d -e '%s' 2>&1"):format(os.getenv("HEBB") or "build/release/hebb", threads, program))
    outcomes[threads] = pipe:read("a"); pipe:close()
end
ok(outcomes[1]:find("^%-?%d+%.%d+\n$") and outcomes[1] == outcomes[2] and outcomes[2] == outcomes[3], "the same numbers for any number of threads")

-- ---- several models and optimizers ----
nn.reset_names()
local G = nn.Sequential({nn.Dense(8, "relu", {input_shape = {2}}), nn.Dense(3)}, {name = "G"})
local D = nn.Sequential({nn.Dense(8, "relu", {input_shape = {3}}), nn.Dense(1)}, {name = "D"})
local g_opt, d_opt, bce = nn.Adam{learning_rate = 1e-3}, nn.Adam{learning_rate = 4e-3}, nn.losses.BinaryCrossentropy{from_logits = true}
local before = {G.layers[1].kernel:copy(), D.layers[1].kernel:copy()}
local moved
local gan = nn.job{models = {G = G, D = D}, data = x, epochs = 2, batch_size = 16, verbose = 0, step = function(job, batch)
    local n = #batch
    local d_loss = tape(function()
        return bce(tensor.ones(n, 1), D(batch)) + bce(tensor.zeros(n, 1), D(G(tensor.randn(n, 2))))
    end)
    local kernel = not moved and G.layers[1].kernel
    d_opt:apply(d_loss, D)
    moved = moved or (G.layers[1].kernel == kernel and "only D" or "both")
    local g_loss = tape(function() return bce(tensor.ones(n, 1), D(G(tensor.randn(n, 2)))) end)
    g_opt:apply(g_loss, G)
    job:log{d_loss = d_loss, g_loss = g_loss}
end}
is(moved, "only D", "an update changes the weights of its model alone")
ok(not (before[1] == G.layers[1].kernel) and not (before[2] == D.layers[1].kernel), "both were trained")
ok(gan.history.d_loss[2] and gan.history.g_loss[2], "a curve for each name")
ok(tostring(gan):find("D + G", 1, true), "it says what it trains")

-- ---- without data ----
local w = nn.Sequential{nn.Dense(1, {use_bias = false, input_shape = {1}})}
local sgd = nn.SGD{learning_rate = 0.1}
local free = nn.job{models = w, epochs = 2, steps_per_epoch = 20, verbose = 0, metrics = {"loss", "now and then"}, step = function(job)
    local loss = tape(function() return (w(tensor{{1}}) - 3):square():mean() end)
    sgd:apply(loss, w)
    job:log{loss = loss}
    if job.steps % 5 == 0 then job:log{["now and then"] = 1} end
end}
near(w.layers[1].kernel[1][1], 3, "converged", 0.01)
is(free.history["now and then"][2], 1, "a curve that is not logged in every step has the mean of what was")
sgd.learning_rate = 0.5
is(sgd.learning_rate, 0.5, "the rate of an optimizer in use")

-- ---- what else loops are written for ----
local critic, rms = nn.Sequential{nn.Dense(4, {input_shape = {3}})}, nn.RMSprop{learning_rate = 0.1}
job(critic, function(job, x)
    local loss = tape(function() return -critic(x):mean() end)
    rms:apply(loss, critic)
    for _, layer in ipairs(critic.layers) do layer.kernel = layer.kernel:maximum(-0.01):minimum(0.01) end
    job:log{loss = loss, prediction = critic:predict(x):mean()}
end, {epochs = 1})
near(critic.layers[1].kernel:abs():max():item(), 0.01, "weights are read, clipped and set in a step, as WGAN has it")
local policy, policy_adam, pay = nn.Sequential{nn.Dense(3, {use_bias = false, input_shape = {1}})}, nn.Adam{learning_rate = 0.1}, {0.1, 0.9, 0.4}
local bandit = nn.job{models = policy, epochs = 3, steps_per_epoch = 60, seed = 2, verbose = 0, step = function(job)
    local state, chance = tensor{{1}}, op.softmax(policy(tensor{{1}}))
    local u, action = tensor.rand(1)[1], 2
    if u < chance[1][1] then action = 0 elseif u < chance[1][1] + chance[1][2] then action = 1 end
    local reward = tensor.rand(1)[1] < pay[action + 1] and 1 or 0
    policy_adam:apply(tape(function() return op.softmax_cross_entropy(policy(state), tensor({action}, {dtype = "int32"})):mean() * reward end), policy)
    job:log{reward = reward}
end}
ok(op.softmax(policy(tensor{{1}}))[1][2] > 0.6, "an agent learns which arm pays")
ok(bandit.history.reward[3] > bandit.history.reward[1], "and earns more")

-- ---- tape at the prompt ----
local m, adam = net(0), nn.Adam{learning_rate = 0.05}
local first, last
for i = 1, 30 do
    local loss, prediction = tape(function() local p = m(x); return mse(y, p), p end)
    adam:apply(loss, m)
    first, last = first or loss:item(), loss:item()
    is(#prediction, 64, "what comes out has values of its own")
    if i > 1 then break end
end
for _ = 1, 40 do local loss = tape(function() return mse(y, m(x)) end); adam:apply(loss, m); last = loss:item() end
ok(last < first / 2, "a plain loop trains, too")

-- ---- what is gone, what is kept ----
local kept, gone, view
job(net(), function(job, x)
    gone, kept, view = x * 2, (x * 2):keep(), (x * 2):slice(1, 2)
    job:log{loss = gone:mean()}
end, {epochs = 1, batch_size = 64})
fails(function() return gone:sum() end, "keep it with t:keep()", "a tensor of a step that is over", "state")
fails(function() return #gone end, "keep it with t:keep()", "its size, too", "state")
fails(function() return gone[1] end, "keep it with t:keep()", "its rows", "state")
fails(function() return view:sum() end, "keep it", "a view of it", "state")
is(#kept, 64, "one that was kept")
local inside; tape(function() inside = x * 1; return inside end)
ok(inside:sum():item() > 0, "what tape returns is kept")
tape(function() inside = x * 1 end)
fails(function() return inside:sum() end, "keep it", "what it does not return is gone", "state")

-- ---- mistakes ----
local opt = nn.Adam()
local function once(step, options) return function() return job(m, step, options) end end
fails(once(function(job, x, y) job:nothing() end), "test_jobs.lua:", "an error in the first step is raised with its line")
fails(once(function(job, x, y) job:log{loss = 1}; if job.steps == 4 then error("mine") end end), "test_jobs.lua:158: mine", "in a later one it ends the job")
is(nn.runs()[#nn.runs()].status, "failed", "which says so")
fails(once(function() end), "logged nothing", "no curve", "arg")
fails(once(function(job) job:log{loss = 1}; if job.steps == 2 then job:log{other = 1} end end), "no curve \"other\"", "a curve that comes later")
fails(once(function(job) job:log{loss = x} end), "single number", "a log of many numbers", "shape")
fails(once(function(job) job:log{loss = "much"} end), "wants a number", "a log of a text", "arg")
fails(once(function(job, x, y) opt:apply(mse(y, m(x)), m) end), "inside tape", "a loss outside of tape", "state")
fails(once(function(job, x, y) opt:apply(tape(function() return m(x) end), m) end), "single number", "a loss that is no number", "shape")
fails(once(function(job, x, y) opt:apply(tape(function() return mse(y, y * 2) end), m) end), "does not depend on any of the weights", "a loss of nothing", "state")
fails(once(function(job, x, y) opt:apply(tape(function() return mse(y, m(x)) end), net()) end), "none of this job's models", "a model that is not the job's", "state")
fails(once(function(job, x, y) tape(function() tape(function() end) end) end), "being recorded already", "a tape in a tape", "state")
fails(once(function(job, x, y) tape(function() opt:apply(mse(y, m(x)), m) end) end), "still being recorded", "apply inside of tape", "state")
fails(once(function(job, x, y)
    local l1, l2 = tape(function() local p = m(x); return mse(y, p), mse(y, p * 2) end)
    opt:apply(l1, m); opt:apply(l2, m)
end), "were changed after this loss was computed", "a gradient through weights that have changed", "state")
fails(once(function(job, x, y)
    local l = tape(function() return mse(y, m(x)) end)
    m.layers[1].kernel = m.layers[1].kernel * 2
    opt:apply(l, m)
end), "were changed after this loss was computed", "a gradient through weights that were set", "state")
fails(once(function(job, x, y) opt:apply(tape(function() return mse(y, m(x)) * (0 / 0) end), m) end), "NaN", "NaN is not applied", "numeric")
fails(once(function(job) job:wait() end), "waits for this callback", "a step that waits for itself", "state")
fails(function() job(m, 3) end, "wants step = function", "no function", "arg")
fails(function() job(3, print) end, "wants the models", "no model", "arg")
fails(function() job(nn.Sequential{nn.Dense(1)}, print) end, "not built yet", "a model without shapes", "state")
fails(function() job({A = m, B = m}, print) end, "the same model", "a model twice", "arg")
fails(function() job({m, net()}, print) end, "two models are called", "two models of one name", "arg")
fails(function() nn.job{models = m, step = print} end, "steps_per_epoch", "neither data nor steps", "arg")
fails(function() job(m, print, {data = {x, tensor.rand(3, 1)}}) end, "different numbers of samples", "data that do not fit", "shape")
fails(function() job(m, print, {metrics = {"a", "a"}}) end, "two curves", "a curve twice", "arg")
fails(function() job(m, print, {callbacks = nn.EarlyStopping{monitor = "loss"}}) end, "is for fit", "built-in callbacks", "arg")
fails(function() job(m, print, {callbacks = 5}) end, "list of tables", "callbacks that are none: what was made for the step goes, too", "arg")
fails(function() mine:rewind(1) end, "is a job", "rewind", "state")
fails(function() mine:branch() end, "is a job", "branch", "state")
fails(function() mine:save(os.tmpname()) end, "model:save", "one file", "state")
fails(function() mine:log{loss = 1} end, "for the step of a job", "log from outside", "state")
fails(function() nn.losses.Huber{}:apply(y, m) end, "method of optimizers", "apply of a loss", "arg")
fails(function() tape(3) end, "wants a function", "tape of a number", "arg")

-- ---- steering ----
local steps = 0
local live = job(m, function(job, x, y) steps = steps + 1; regression(m, opt)(job, x, y) end, {epochs = 1000000, wait = false, paused = true, metrics = {"loss"}})
is(live.status, "paused", "paused before its first step"); is(steps, 0, "which was not done")
live:step(3); is(live.steps, 3, "stepped"); is(steps, 3, "three steps, not more")
live.learning_rate = 5e-4; live:step(1)
near(opt.learning_rate, 5e-4, "the learning rate is that of the optimizer", 1e-9)
near(live.learning_rate, 5e-4, "and what the run shows", 1e-9)
fails(function() m:compile{optimizer = "adam", loss = "mse"} end, "is being trained", "its models train in one run at a time", "state")
fails(function() job(m, print) end, "is being trained by run", "nor in two jobs", "state")
ok(m:predict(x) ~= nil, "predict while it is paused")
local file = os.tmpname(); m:save(file); tap.same(nn.load(file):predict(x), m:predict(x), "its models are saved one by one"); os.remove(file)
live:resume(); hebb.sleep(0.1); live:stop()
is(live.status, "stopped", "stopped"); ok(live.steps > 4, "after more steps")
local seen = {}
job(m, regression(m, opt), {epochs = 2, callbacks = {on_epoch_end = function(epoch, logs) seen[epoch] = logs.loss end, on_batch_end = function() seen.batches = (seen.batches or 0) + 1 end}})
ok(seen[1] and seen[2] and seen.batches == 8, "callbacks at the ends of epochs and batches")

-- ---- what is recorded ----
local recorded = nn.job{models = {["a/b"] = m, other = net()}, data = {x, y}, batch_size = 32, verbose = 0, step = function(job, x, y) regression(m, opt)(job, x, y) end}
if recorded.folder ~= "" then
    local function saved(name) local file = io.open(recorded.folder .. "/" .. name, "rb"); if file then file:close() end; return file ~= nil end
    for _ = 1, 60 do if saved("a_b.safetensors") and saved("other.safetensors") and saved("history.csv") then break end; hebb.sleep(0.05) end
    ok(saved("other.safetensors"), "each model is saved to the run's folder")
    tap.same(nn.load(recorded.folder .. "/a_b.safetensors"):predict(x), m:predict(x), "as it is at the end")
    ok(saved("history.csv"), "beside the history")
    local alike = nn.job{models = {["Ä"] = m, ["Ö"] = net(), ["a.b"] = net(), ["a_b"] = net()}, data = {x, y}, batch_size = 32, verbose = 0, metrics = {"loss"}, step = function(job, x, y) regression(m, opt)(job, x, y) end}
    local function count() local n = 0; for name in pairs{["__"] = 1, ["__-2"] = 1, ["a_b"] = 1, ["a_b-2"] = 1} do local file = io.open(alike.folder .. "/" .. name .. ".safetensors", "rb"); if file then file:close(); n = n + 1 end end; return n end
    for _ = 1, 60 do if count() == 4 then break end; hebb.sleep(0.05) end
    is(count(), 4, "names that are alike as names of files have a file each")
end

tap.done()
