-- SPDX-License-Identifier: MIT
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails, shape = tap.ok, tap.is, tap.near, tap.fails, tap.shape
nn.reset_names()

-- three ways to say the same
local a, b, c = nn.Dense(4, "relu"), nn.Dense(4, {activation = "relu"}), nn.Dense{units = 4, activation = "relu"}
for i, layer in ipairs{a, b, c} do is(layer.activation, "relu", "way " .. i .. ": activation"); is(layer.units, 4, "way " .. i .. ": units") end
is(a.name, "dense", "automatic names"); is(b.name, "dense_1", "count as in Keras"); is(nn.Dense(1, {name = "mine"}).name, "mine", "a given name")
is(a.kind, "Dense", "kind"); ok(not a.built, "not built yet"); ok(a.trainable, "trainable")
fails(function() return a.kernel end, "no weights yet", "weights before the shape is known", "state")
fails(function() return a.kernal end, "no field", "a mistyped field", "name")
fails(function() a.units = 3 end, "was fixed", "arguments are fixed"); fails(function() a.x = 1 end, "no field", "unknown field")
fails(function() nn.Dense() end, "units", "a missing argument", "arg"); fails(function() nn.Dense("x") end, "units", "text for a number")
fails(function() nn.Dense(3, "rleu") end, 'did you mean "relu"', "a mistyped activation"); fails(function() nn.Dens(3) end, "did you mean nn.Dense?", "a mistyped layer", "name")
fails(function() nn.Dense{units = 3, actvation = "relu"} end, 'did you mean "activation"', "a mistyped argument")
fails(function() nn.Dense(3, {units = 4}) end, "given twice", "twice"); fails(function() nn.Dense(3, {name = 7}) end, "name is a text", "a name that is no text")
fails(function() nn.Dense(3, {input_shape = {0.5}}) end, "whole number", "a broken shape"); fails(function() nn.Dense(3, {trainable = 1}) end, "true or false", "trainable")
fails(function() nn.Conv2D(8) end, "kernel_size", "conv2d wants a size"); is(nn.Conv2D(8, 3).kernel_size[2], 3, "one number for both")

-- a layer on tensors
local y = a(tensor{{1, 2, 3}}); shape(y, "(1, 4)", "called on a tensor"); shape(a.kernel, "(3, 4)", "built by that"); shape(a.bias, "(4)", "with a bias")
a.kernel = tensor.ones(3, 4); a.bias = {1, 2, 3, 4}
is(a{{1, 1, 1}}[1][4], 7, "weights are set"); fails(function() a.kernel = {1} end, "shape (3, 4)", "weights of another shape", "shape")
local copy = a.kernel; copy[1][1] = 9; is(a.kernel[1][1], 1, "what is read is a copy")
is(#a:get_weights(), 2, "get_weights"); a:set_weights{tensor.zeros(3, 4), tensor.zeros(4)}; is(a.kernel[1][1], 0, "set_weights"); is(a:count_params(), 16, "count_params")
fails(function() a:set_weights{1} end, "list of 2", "too few weights"); fails(function() a(tensor{{1, 2}}) end, "dense", "another input shape", "shape")
fails(function() a() end, "called on", "called on nothing"); fails(function() a("x") end, "numbers", "called on text")

-- Sequential
local m = nn.Sequential()
m:add(nn.Dense(3, {input_shape = {2}})); m:add(nn.Dense(1))
is(m:count_params(), 13, "parameters"); is(#m.layers, 2, "layers"); is(m.layers[2].kind, "Dense", "in order"); is(tostring(m.output_shape), "(1)", "output_shape")
is(tostring(m.input_shape), "(2)", "input_shape"); ok(m:get_layer(1) == m.layers[1], "get_layer by place"); ok(m:get_layer(m.layers[2].name) == m.layers[2], "by name")
fails(function() m:get_layer("dens_x") end, "dens", "no such layer", "name"); fails(function() m:get_layer(9) end, "", "no such place")
fails(function() m:add(3) end, "wants a layer", "adding a number"); fails(function() m:add(nn.Conv2D(3, 3)) end, "nn.Reshape", "a layer that does not fit", "shape")
is(#m.layers, 2, "a refused layer is not added"); m:add(nn.Dropout(0.5)); m:pop(); is(#m.layers, 2, "pop")
fails(function() m.layer = 1 end, 'did you mean', "an unknown field"); fails(function() return m.fitt end, 'did you mean "fit"', "a mistyped verb")
shape(m:predict{{1, 2}, {3, 4}}, "(2, 1)", "predict"); shape(m(tensor{{1, 2}}), "(1, 1)", "called"); m:summary()
is(#nn.Sequential{nn.Flatten(), nn.Dense(2)}.layers, 2, "a list of layers"); is(nn.Sequential({}, {name = "net"}).name, "net", "a name")
fails(function() nn.Sequential(3) end, "list of layers", "no list"); fails(function() m:predict{{1, 2, 3}} end, "", "data of another shape", "shape")
local late = nn.Sequential{nn.Dense(2)}; shape(late:predict{{1, 2, 3}}, "(1, 2)", "built by the first data")

-- functional
local x = nn.Input({4}); shape(x, "(-1, 4)", "a symbol"); is(nn.Input{shape = {2, 2}}.shape[3], 2, "Input by name")
local h = nn.Dense(4, "relu")(x); local out = nn.Dense(2)(nn.Add()(x, h)); local f = nn.Model(x, out)
is(f:count_params(), 30, "a skip connection"); shape(f:predict{{1, 2, 3, 4}}, "(1, 2)", "predicts")
local both = nn.Model({x}, {h, out}); local outs = both:predict{{1, 2, 3, 4}}; is(#outs, 2, "two outputs"); shape(outs[1], "(1, 4)", "the first")
local p, q = nn.Input({2}), nn.Input({3}); local two = nn.Model({p, q}, nn.Dense(1)(nn.Concatenate(){p, q}))
shape(two:predict{tensor{{1, 2}}, tensor{{1, 2, 3}}}, "(1, 1)", "two inputs"); fails(function() two:predict{tensor{{1, 2}}} end, "2 inputs", "one of two inputs")
local shared = nn.Dense(2); local i1 = nn.Input({3}); is(nn.Model(i1, nn.Add()(shared(i1), shared(i1))):count_params(), 8, "a shared layer counts once")
local inner = nn.Model(i1, nn.Dense(2)(i1)); local i2 = nn.Input({3}); is(nn.Model(i2, nn.Dense(1)(inner(i2))):count_params(), 11, "a model as a layer")
fails(function() nn.Model(3, x) end, "symbols", "a model of numbers"); fails(function() nn.Model({}, x) end, "1 to", "no inputs")
fails(function() nn.Model(x, nn.Dense(1)(nn.Input({3}))) end, "", "an output that hangs on another input"); fails(function() nn.Dense(1)(x, 3) end, "others are symbols", "symbols and numbers")

-- compile
fails(function() m:fit({{1, 2}}, {1}) end, "compile", "fit before compile", "state"); fails(function() m:compile{} end, "optimizer and a loss", "compile of nothing")
fails(function() m:compile{optimizer = "adm", loss = "mse"} end, 'did you mean "adam"', "a mistyped optimizer", "name")
fails(function() m:compile{optimizer = "adam", loss = "mean_squared_eror"} end, "did you mean", "a mistyped loss", "name"); fails(function() m:compile{optimizer = 3, loss = "mse"} end, "an optimizer", "a number")
fails(function() m:compile{optimizer = "adam", loss = "mse", metric = {"mae"}} end, 'did you mean "metrics"', "a mistyped argument")
fails(function() m:compile{optimizer = "adam", loss = "mse", metrics = {"acuracy"}} end, 'did you mean "accuracy"', "a mistyped metric")
m:compile{optimizer = nn.Adam{learning_rate = 0.01}, loss = nn.MeanSquaredError(), metrics = {"mae"}}; ok(true, "objects")
m:compile{optimizer = {"sgd", learning_rate = 0.1, momentum = 0.9}, loss = "mse"}; ok(true, "a table with name and arguments")
m:compile{optimizer = "sgd", loss = "mse", metrics = "mae"}; ok(true, "names")
is(nn.Adam(0.5).learning_rate, 0.5, "arguments of an object"); near(nn.CosineDecay(0.1, 100)(0), 0.1, "a schedule can be called"); near(nn.CosineDecay(0.1, 100)(100), 0, "at its end")
is(nn.Adam{learning_rate = nn.CosineDecay(0.1, 100)}.learning_rate, 0.1, "a schedule as learning rate")
do
  local o = {schedule = 0.5, warmup_steps = 10}
  is(nn.WarmUp(o)(5), 0.25, "a number to warm up to"); is(o.schedule, 0.5, "the caller's table stays as it is")
  is(nn.WarmUp(nn.WarmUp(0.5, 3), 10, {start = 1})(5), 0.5, "a warm-up before a warm-up")
  local a = nn.Adam(nn.WarmUp(nn.StepDecay(0.1, 10), 4, {start = 0.01}), {beta_1 = 0.5})
  near(a.learning_rate, 0.01, "a schedule in front, options behind"); is(a.beta_1, 0.5, "these count")
end
fails(function() nn.WarmUp() end, "schedule", "nothing to warm up to"); fails(function() nn.WarmUp(nn.Adam(), 3) end, "schedule", "to an optimizer")
fails(function() nn.PiecewiseConstantDecay({10, 20}, {1, 2}) end, "want 3 values", "too few values")
fails(function() nn.PiecewiseConstantDecay({20, 10}, {1, 2, 3}) end, "must rise", "falling boundaries")
fails(function() nn.OneCycle(0.1, 10, {three_phase = true, pct_start = 0.9}) end, "pct_start", "no room for the third phase")
fails(function() nn.SGD{clipnorm = 1, clipvalue = 1} end, "only one of", "two ways of clipping")
fails(function() nn.Adam{gradient_accumulation_steps = 1} end, "from 2", "accumulation of one"); fails(function() nn.Adam{compat = "jax"} end, "torch", "unknown compat")
is(nn.AdamW().weight_decay, 0.004, "a kind's own default"); is(nn.Adam().weight_decay, nil, "the common one")
fails(function() nn.Adam{learning_rate = nn.MeanSquaredError()} end, "schedule", "a loss as learning rate"); fails(function() nn.Adam{beta_1 = 2} end, "beta_1", "out of range")

-- train, evaluate, predict
local xs, ys = tensor{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, tensor{0, 1, 1, 2}
m = nn.Sequential{nn.Dense(1, {input_shape = {2}})}; m:compile{optimizer = nn.SGD{learning_rate = 0.3}, loss = "mse", metrics = {"mae"}}
local run = m:fit(xs, ys, {epochs = 200, batch_size = 4, verbose = 0}); is(run.status, "finished", "fit waits in a script")
near(run.history.loss[200], 0, "it learns to add", 1e-3); is(#run.history.loss, 200, "history has a row an epoch"); near(m:predict{{1, 1}}[1][1], 2, "predict", 0.05)
local e = m:evaluate(xs, ys); near(e.loss, run.history.loss[200], "evaluate", 1e-2); ok(tostring(e):find("loss ", 1, true) == 1 and tostring(e):find("mae", 1, true), "it prints as one line")
local logs = m:train_on_batch(xs, ys); ok(logs.loss < 1e-2, "train_on_batch"); ok(m:test_on_batch(xs, ys).mae < 0.1, "test_on_batch")
fails(function() m:fit(xs, {1, 2}) end, "", "x and y of different lengths"); fails(function() m:fit({}, {}) end, "", "no data"); fails(function() m:fit(xs) end, "targets", "no targets")
fails(function() m:fit(xs, ys, {epochs = 0}) end, "epochs", "no epochs"); fails(function() m:fit(xs, ys, {epoch = 3}) end, 'did you mean "epochs"', "a mistyped argument")
fails(function() m:fit(xs, ys, {validation_split = 1}) end, "validation_split", "all for validation"); fails(function() m:fit(xs, ys, {validation_data = 3}) end, "{x, y}", "validation data")
fails(function() m:fit(xs, ys, {class_weight = {a = 1}}) end, "class numbers", "class weights by name"); fails(function() m:fit(xs, ys, {verbose = 7}) end, "verbose", "verbose 7")
fails(function() m:fit({{0 / 0, 1}}, {1}, {verbose = 0}) end, "", "NaN in the data"); fails(function() m:evaluate(xs) end, "x and y", "evaluate without targets")

-- classes
local d = data.moons(200, {seed = 1}); local k = nn.Sequential{nn.Dense(16, "relu", {input_shape = {2}}), nn.Dense(2, "softmax")}
k:compile{optimizer = nn.Adam(0.02), loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
run = k:fit(d, {epochs = 30, validation_split = 0.25, verbose = 0, class_weight = {[0] = 1, [1] = 2}, class_names = {"up", "down"}})
ok(run.history.val_accuracy[30] > 0.8, "a dataset, validation, class weights"); ok(#run.history.val_loss == 30, "validation has its columns")
local table_ = k:confusion(d); is(table_.matrix:sum():item(), 200, "confusion counts every row"); is(table_.classes[2].name, "down", "with names"); ok(table_.classes[1].f1 > 0.5, "and figures")
ok(tostring(table_):find("precision", 1, true), "it prints as a table"); ok(tostring(run:confusion()):find("recall", 1, true), "run:confusion"); ok(tostring(run.history):find("val_accuracy", 1, true), "history prints")
fails(function() m:confusion(xs, ys) end, "does not classify", "no confusion of numbers", "state"); near(k:evaluate(d).accuracy, table_.accuracy, "evaluate agrees")

-- saving
local file = os.tmpname(); k:save(file); local again = nn.load(file); tap.same(again:predict(d.x), k:predict(d.x), "saved and loaded: the same predictions")
is(again:count_params(), k:count_params(), "the same parameters"); local fresh = nn.Sequential{nn.Dense(16, "relu", {input_shape = {2}, name = k.layers[1].name}), nn.Dense(2, "softmax", {name = k.layers[2].name})}
is(#fresh:load_weights(file).matched > 0, true, "load_weights"); ok(fresh:predict(d.x) == again:predict(d.x), "gives the same predictions"); fails(function() m:load_weights(file) end, "", "weights of another model")
os.remove(file); fails(function() nn.load(file) end, file, "no such file", "io"); fails(function() k:save("/no/such/folder/m") end, "/no/such", "no such folder", "io"); fails(function() k:save(3) end, "file name", "no name")
fails(function() nn.load("Makefile") end, "Makefile", "a file that is no model", "data")
is(select(2, select(2, pcall(nn.load, "Makefile")).message:gsub("Makefile", "")), 1, "which is named once")
-- weights of samples
do
  local function line() local m = nn.Sequential{nn.Dense(1, {input_shape = {1}, kernel_initializer = "ones"})}; m:compile{optimizer = nn.SGD(0.01), loss = "mse", metrics = {"mae"}, weighted_metrics = {"rmse"}}; return m end
  local x, y, w = {{0}, {1}, {2}, {3}}, {1, 0, 5, 1}, {1, 0, 2, 3}
  local m = line(); local e = m:evaluate(x, y, {sample_weight = w})
  near(e.loss, 7.75, "the loss counts weights, divided by the number of samples"); near(e.mae, 1.75, "a metric does not"); near(e.rmse, math.sqrt(31 / 6), "a weighted one does, divided by their sum")
  near(line():train_on_batch(x, y, {sample_weight = w}).loss, 7.75, "in train_on_batch"); near(line():test_on_batch(x, y, {sample_weight = w}).loss, 7.75, "in test_on_batch")
  near(line():train_on_batch(x, {0, 1, 0, 1}, {sample_weight = w, class_weight = {[0] = 2, [1] = 0}}).loss, 4, "weights of samples times those of classes")
  local a, b = line(), line()
  local run = a:fit(x, y, {epochs = 3, batch_size = 4, verbose = 0, wait = true, autosave = false, sample_weight = w, validation_data = {x, y, w}})
  for _ = 1, 3 do b:train_on_batch(x, y, {sample_weight = w}) end
  near(a.layers[1].kernel[1][1], b.layers[1].kernel[1][1], "fit and train_on_batch agree"); near(run.history.val_loss[3], a:evaluate(x, y, {sample_weight = w}).loss, "weights of validation data")
  fails(function() a:fit(x, y, {sample_weight = {1, 2}}) end, "each of 4 samples", "too few weights"); fails(function() a:evaluate(x, y, {sample_weight = {1, 2, -1, 0}}) end, "sample 3", "a weight below 0")
  fails(function() nn.metrics.PrecisionAtRecall() end, "recall", "a metric without its argument"); fails(function() nn.metrics.AUC{curve = "X"} end, "ROC", "an unknown curve")
end
-- large batches go through in passes that the caches hold, unless a row may depend on the others
do
  local x = tensor.rand({60, 40, 40, 3})
  local net = nn.Sequential{nn.Conv2D(24, 3, {input_shape = {40, 40, 3}, activation = "relu"}), nn.Conv2D(8, 3), nn.GlobalAveragePooling2D()}
  ok((net:predict(x, {batch_size = 60}) - net:predict(x, {batch_size = 1})):abs():max():item() < 1e-5, "a batch in passes: the rows of single predictions")
  local centred = nn.Sequential{nn.Conv2D(24, 3, {input_shape = {40, 40, 3}}), nn.GlobalAveragePooling2D(), nn.Lambda(function(y) return y - y:mean{axis = 1, keepdims = true} end)}
  ok(centred:predict(x, {batch_size = 60}):sum{axis = 1}:abs():max():item() < 1e-3, "a function along the batch sees the whole batch")
  for _, axis in ipairs{0, -2} do
    local soft = nn.Sequential{nn.Softmax{axis = axis, input_shape = {1024}}}
    ok(math.abs(soft:predict(tensor.ones(3000, 1024), {batch_size = 3000}):sum():item() - 1024) < 0.1, "Softmax along axis " .. axis .. " sees the whole batch")
  end
end
tap.done()
