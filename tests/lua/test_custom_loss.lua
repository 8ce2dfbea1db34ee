-- SPDX-License-Identifier: MIT
-- Losses and metrics written as Lua functions of (y_true, y_pred).
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails = tap.ok, tap.is, tap.near, tap.fails

local x, y = tensor.randn(60, 3, {seed = 1}), tensor.randn(60, 2, {seed = 2})
local function model(loss)
    nn.reset_names()
    local m = nn.Sequential{nn.Dense(8, "tanh", {input_shape = {3}}), nn.Dense(2)}
    m:compile{optimizer = "adam", loss = loss}
    return m
end
local function squares(t, p) return (p - t):square() end
local weights = tensor.rand(60, {seed = 4})
local own, mine = model("mse"), model(squares)
near(mine:evaluate(x, y).loss, own:evaluate(x, y).loss, "as mean_squared_error has it")
near(mine:evaluate(x, y, {sample_weight = weights}).loss, own:evaluate(x, y, {sample_weight = weights}).loss, "weights of samples, too")
own:fit(x, y, {epochs = 3, batch_size = 25, shuffle = false, verbose = 0})
mine:fit(x, y, {epochs = 3, batch_size = 25, shuffle = false, verbose = 0})
ok((own:predict(x) - mine:predict(x)):abs():max():item() < 1e-5, "and trains alike, with a last batch of another size")
near(model(function(t, p) return squares(t, p):mean{axis = -1} end):evaluate(x, y).loss, model("mse"):evaluate(x, y).loss, "one number for each sample")
near(model(function(t, p) return squares(t, p):mean() end):evaluate(x, y, {batch_size = 60}).loss, model("mse"):evaluate(x, y, {batch_size = 60}).loss, "or one for the batch")

-- a branch of the run gets its loss as a file would hold it
local run = mine:fit(x, y, {epochs = 2, batch_size = 25, verbose = 0, wait = false}); run:wait()
local branch, twin = run:branch()
near(branch.model:evaluate(x, y).loss, mine:evaluate(x, y).loss, "written and read with the training's state")
branch:stop()

local huber = nn.losses.Huber{delta = 0.5}
near(model(function(t, p) return huber(t, p) + 2 * nn.losses.MeanAbsoluteError()(t, p) end):evaluate(x, y, {batch_size = 60}).loss,
     model(huber):evaluate(x, y, {batch_size = 60}).loss + 2 * model("mae"):evaluate(x, y, {batch_size = 60}).loss, "composed of ready losses")

-- class numbers: the data decide
local labels = x:sum{axis = -1}:greater(0):cast("int32")
local function classifier(loss, metrics)
    nn.reset_names()
    local m = nn.Sequential{nn.Dense(8, "tanh", {input_shape = {3}}), nn.Dense(2)}
    m:compile{optimizer = "adam", loss = loss, metrics = metrics}
    return m
end
local function crossentropy(t, p) return op.softmax_cross_entropy(p, t) end
local named, traced = classifier(nn.losses.SparseCategoricalCrossentropy{from_logits = true}), classifier(crossentropy)
near(traced:evaluate(x, labels).loss, named:evaluate(x, labels).loss, "class numbers as y_true")
named:fit(x, labels, {epochs = 2, batch_size = 25, shuffle = false, verbose = 0})
traced:fit(x, labels, {epochs = 2, batch_size = 25, shuffle = false, verbose = 0})
ok((named:predict(x) - traced:predict(x)):abs():max():item() < 1e-5, "train alike")
near(classifier(function(t, p) return nn.losses.SparseCategoricalCrossentropy{from_logits = true}(t, p) end):evaluate(x, labels, {batch_size = 60}).loss,
     classifier(crossentropy):evaluate(x, labels, {batch_size = 60}).loss, "a ready loss of class numbers in one's own")
fails(function() traced:evaluate(x, tensor.zeros(60, 2)) end, "takes class numbers", "one-hot targets, where the function takes class numbers", "arg")

-- metrics: one number for each sample, weighted or not, or one for the batch
local watched = classifier("mse", {"mae", mine = function(t, p) return (p - t):abs():mean{axis = -1} end, worst = function(t, p) return (p - t):abs():max() end})
local logs = watched:evaluate(x, y)
near(logs.mine, logs.mae, "a metric of one's own")
ok(logs.worst > logs.mae, "another gives one number for the batch")
watched:compile{optimizer = "adam", loss = "mse", metrics = {function(t, p) return (p - t):square() end}, weighted_metrics = {same = function(t, p) return (p - t):square() end}}
logs = watched:evaluate(x, y, {sample_weight = weights})
near(logs.custom_metric, watched:evaluate(x, y).loss, "weights of samples are for weighted_metrics")
near(logs.same * weights:mean():item(), logs.loss, "which count them")
run = watched:fit(x, y, {epochs = 2, batch_size = 25, validation_split = 0.2, verbose = 0})
ok(run.history.val_same[2] > 0 and run.history.custom_metric[2] > 0, "they stand in the history, validation too")
local path = os.tmpname()
run:save(path)
near(nn.load(path):evaluate(x, y).same, run.model:evaluate(x, y).same, "and in files, without Lua")
os.remove(path)

fails(function() classifier("mse", {f = 3}) end, "metrics", "a number as metric", "arg")
fails(function() classifier("mse", {f = function(t, p) return 1 end}) end, "f: ", "a metric that gives no tensor")
fails(function() classifier("mse", {["a name that is far too long for a curve"] = function(t, p) return p end}) end, "at most 31 letters", "a long name", "arg")
fails(function() classifier(crossentropy, {f = function(t, p) return (p - t):mean() end}):evaluate(x, labels) end, "output's shape only", "a metric that takes no class numbers", "arg")
fails(function() model(function(t, p) return p:mean():item() end) end, "cannot look at values", "a look at values")
fails(function() model(function(t, p) return 3 end) end, "loss: ", "no tensor")
fails(function() model(function(t, p) return t.foo.bar end) end, "test_custom_loss.lua:", "an error inside, with its line")
fails(function() model(function(t, p) return p:matmul(p) end) end, "matmul", "shapes that do not fit")
fails(function() nn.Sequential{nn.Dense(1)}:compile{optimizer = "sgd", loss = squares} end, "give its first layer an input_shape", "a model without shapes", "state")
fails(function() mine:evaluate(x, tensor.zeros(60, 5)) end, "shape", "targets of another shape")

tap.done()
