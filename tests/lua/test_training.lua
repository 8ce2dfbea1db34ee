-- SPDX-License-Identifier: MIT
-- What is made of fit: all hooks of callbacks, files of callbacks, lr_find, freezing, weights by name, fine_tune.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails = tap.ok, tap.is, tap.near, tap.fails

local d = data.moons(128, {seed = 3})
local function net(options)
    nn.reset_names()
    local m = nn.Sequential{nn.Dense(8, "tanh", {input_shape = {2}, name = "body"}), nn.Dropout(0.2), nn.Dense(6, "tanh", {name = "neck"}), nn.Dense(2, "softmax", {name = "head"})}
    m:compile{optimizer = options or nn.Adam(0.01), loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
    return m
end

-- hooks
local seen = {}
local function note(text) seen[#seen + 1] = text end
local all = nn.LambdaCallback{
    on_train_begin = function() note("<") end, on_train_end = function() note(">") end,
    on_epoch_begin = function(epoch) note("e" .. epoch) end, on_epoch_end = function(epoch) note("E" .. epoch) end,
    on_train_batch_begin = function(batch, logs) note("b" .. batch); assert(next(logs) == nil) end,
    on_batch_end = function(batch, logs) note("B" .. batch); assert(logs.loss) end,
    on_test_begin = function() note("t") end, on_test_end = function(logs) note("T"); seen.test = logs.loss end,
    on_test_batch_begin = function(batch) note("v" .. batch) end, on_test_batch_end = function(batch, logs) note("V" .. batch); assert(logs.accuracy) end,
}
local m = net()
local run = m:fit(d.x, d.y, {epochs = 2, batch_size = 48, verbose = 0, validation_split = 0.25, callbacks = {all}})
is(table.concat(seen, " "), "< e1 b1 B1 b2 B2 t v1 V1 T E1 e2 b1 B1 b2 B2 t v1 V1 T E2 >", "all hooks in Keras's order")
is(seen.test, run.history.val_loss[2], "on_test_end has the validation's logs")
local rates = {}
m = net(); m:fit(d.x, d.y, {epochs = 1, batch_size = 32, verbose = 0, callbacks = {{on_train_batch_begin = function(batch, _, r) r.learning_rate = batch / 100 end,
    on_train_batch_end = function(_, _, r) rates[#rates + 1] = r.learning_rate end}}})
is(#rates, 4, "each batch once"); near(rates[3], 0.03, "a rate set before a batch counts for it")
m = net(); local n = 0
m:fit(d.x, d.y, {epochs = 3, batch_size = 32, verbose = 0, callbacks = {{on_train_batch_begin = function(batch, _, r) n = n + 1; if n == 6 then r:stop() end end}}})
is(m.run.steps, 5, "stopped before a batch, that batch is not trained")
fails(function() nn.LambdaCallback{on_epoch = 3} end, "wants a function", "LambdaCallback without a function"); fails(function() nn.LambdaCallback{epoch_end = print} end, "no event", "no event"); fails(function() nn.LambdaCallback{} end, "no event", "nothing")
fails(function() net():fit(d.x, d.y, {callbacks = {nn.LambdaCallback{on_test_batch_ended = print}}}) end, 'did you mean "on_test_batch_end"', "a mistyped event", "name")

-- of evaluate and predict
m = net(); local told, parts = {}, {}
local function tell(name) return function(...) local first = ...; told[#told + 1] = name .. (math.type(first) == "integer" and first or "") end end
local watcher = {on_test_begin = tell("<"), on_test_batch_begin = tell("b"), on_test_end = function(logs) told[#told + 1] = ">"; told.last = logs.loss end,
    on_test_batch_end = function(batch, logs) told[#told + 1] = "B" .. batch; told.first = told.first or logs.loss end,
    on_predict_begin = tell("("), on_predict_batch_begin = tell("p"), on_predict_batch_end = function(batch, logs) parts[batch] = logs.outputs end, on_predict_end = tell(")"), on_epoch_end = error}
local logs = m:evaluate(d.x, d.y, {batch_size = 50, callbacks = watcher})
is(table.concat(told, " "), "< b1 B1 b2 B2 b3 B3 >", "evaluate calls the hooks of tests"); is(told.last, logs.loss, "the last logs are the result"); near(told.first, m:evaluate(d.x:slice(1, 50), d.y:slice(1, 50)).loss, "means so far")
near(logs.loss, m:evaluate(d.x, d.y, {batch_size = 50}).loss, "the result is the same"); told = {}
local y = m:predict(d.x, {batch_size = 50, callbacks = {watcher, nn.TerminateOnNaN()}}); is(table.concat(told, " "), "( p1 p2 p3 )", "predict calls its own")
ok(#parts == 3 and #parts[3] == 28 and parts[2] == y:slice(51, 100), "with each batch's outputs"); ok(y == m:predict(d.x, {batch_size = 50}), "the result is the same")
fails(function() m:predict(d.x, {callbacks = {on_predict_batch_end = function() error("mine") end}}) end, "on_predict_batch_end: ", "an error in a hook ends it"); fails(function() m:evaluate(d, {callbacks = {on_test_ende = print}}) end, 'did you mean "on_test_end"', "a mistyped event", "name")
m:fit(d, {epochs = 1, verbose = 0, callbacks = {{on_predict_begin = error}}}); fails(function() local r = m:fit(d, {epochs = 1000000, verbose = 0, wait = false}); local good, e = pcall(m.predict, m, d.x, {callbacks = watcher}); r:stop(); r:wait(); error(e) end, "trains", "not while a run trains it", "state")

-- files
local folder = os.tmpname(); os.remove(folder)
m = net(); m:fit(d.x, d.y, {epochs = 3, verbose = 0, validation_split = 0.25, callbacks = {nn.TensorBoard(folder .. "/logs"), nn.CSVLogger(folder .. "/logs/log.csv"),
    nn.ModelCheckpoint(folder .. "/net-{epoch}.safetensors"), nn.BackupAndRestore(folder .. "/backup"), {on_epoch_end = function() end}}})
local file <close> = assert(io.open(folder .. "/logs/log.csv")); local text = file:read("a")
is(text:match("^[^\r]*"), "epoch,accuracy,loss,val_accuracy,val_loss", "CSVLogger's head"); is(select(2, text:gsub("\n", "")), 4, "and a line an epoch")
local kept = nn.load(folder .. "/net-3.safetensors"); tap.same(kept:predict(d.x), m:predict(d.x), "ModelCheckpoint's last file is the model")
is(tostring(nn.CSVLogger("a.csv")):sub(1, 31), 'nn.CSVLogger{filename = "a.csv"', "its file is shown"); is(nn.TensorBoard().log_dir, "logs", "a default file"); is(nn.TensorBoard{log_dir = "x"}.log_dir, "x", "by name")
fails(function() nn.CSVLogger() end, "wants filename", "no file"); fails(function() nn.CSVLogger(3) end, "got the number 3", "a number"); fails(function() nn.CSVLogger("x", {sep = ","}) end, "", "an unknown argument")
fails(function() nn.ModelCheckpoint("x", {save_freq = "epochs"}) end, 'did you mean "epoch"', "an unknown save_freq"); fails(function() net():fit(d.x, d.y, {callbacks = {nn.ModelCheckpoint("{f1}")}}) end, 'no value "f1"', "an unknown value in the name")
fails(function() net():fit(d.x, d.y, {callbacks = {nn.CSVLogger("/nowhere/x.csv")}}) end, "/nowhere", "a folder that is not there")

-- lr_find
m = net(); local before = {m.layers[1].kernel, m.layers[4].bias}
local found = m:lr_find(d, {stop = 10, steps = 60, batch_size = 128})
ok(#found.rates >= 30 and #found.rates <= 60 and #found.losses == #found.rates and #found.smoothed == #found.rates, "a curve"); near(found.rates[1], 1e-8, "from start")
near(found.rates[11] / found.rates[10], 1e9 ^ (1 / 59), "by equal factors"); near(found.smoothed[1], found.losses[1], "the first smoothed value is put right")
near(found.smoothed[2], (0.98 * 0.02 * found.losses[1] + 0.02 * found.losses[2]) / (1 - 0.98 ^ 2), "and the second")
ok(found.suggestion and found.suggestion > 1e-4 and found.suggestion < 3, "a suggestion where it falls"); ok(tostring(found):find("suggestion: learning_rate", 1, true), "prints the curve")
ok(m.layers[1].kernel == before[1] and m.layers[4].bias == before[2], "the weights are as before")
local after = m:fit(d, {epochs = 3, verbose = 0, seed = 7}).history.loss
local plain = net():fit(d, {epochs = 3, verbose = 0, seed = 7}).history.loss
ok(after[1] == plain[1] and after[3] == plain[3], "training goes as if nothing had been: weights, optimizer, dropout, order")
m = net(); m:fit(d, {epochs = 2, verbose = 0, seed = 7}); m:lr_find(d, {stop = 1e30, steps = 50}); local second = m:fit(d, {epochs = 2, verbose = 0, seed = 8}).history.loss
m = net(); m:fit(d, {epochs = 2, verbose = 0, seed = 7}); is(m:fit(d, {epochs = 2, verbose = 0, seed = 8}).history.loss[2], second[2], "in the middle of a training too, and after a divergence")
m = net(nn.Adam(0.05)); is(m.iterations, 0, "iterations count updates"); m:fit(d, {epochs = 20, verbose = 0, seed = 7}); is(m.iterations, 80, "of all runs")
found = m:lr_find(d, {stop = 100, steps = 60}); is(m.iterations, 80, "but not of lr_find"); ok(#found.rates >= 30, "a model that has learnt has a curve, too")
ok(found.losses[12] < 2 * found.losses[1], "it begins with rates that change nothing, however many updates there were")
fails(function() net():lr_find(d, {start = 1, stop = 0.1}) end, "stop the larger", "a range that ends below its start"); fails(function() net():lr_find(d, {step = 3}) end, "no argument", "an unknown option")
fails(function() net():lr_find(d, {steps = 2}) end, "from 3", "too few steps"); fails(function() net():lr_find(d, {beta = 1}) end, "beta", "beta 1"); fails(function() net():lr_find(d, {start = "x"}) end, "must be a number", "a text")

-- freezing
m = net(); is(m:freeze("b*"), 1, "freeze by pattern"); is(m:freeze(-1), 1, "by place"); ok(not m.layers[1].trainable and not m.layers[4].trainable and m.layers[3].trainable, "these are frozen")
local body, neck = m.layers[1].kernel, m.layers[3].kernel; m:fit(d, {epochs = 1, verbose = 0})
ok(m.layers[1].kernel == body and m.layers[3].kernel ~= neck, "frozen weights stay"); is(m:unfreeze{"body", 4}, 2, "a list"); ok(m.layers[1].trainable and m.layers[4].trainable, "train again"); is(m:freeze(), 4, "all")
fails(function() m:freeze("conv*") end, "it has body" and "no layer is called", "no such layer"); fails(function() m:freeze("boddy") end, "body", "a mistyped name"); is(m:freeze{m.layers[2], m.layers[3]}, 2, "layers themselves"); fails(function() m:freeze(nn.Dense(3)) end, "is no layer of", "another model's layer"); fails(function() m:freeze(9) end, "no layer 9", "no such place"); fails(function() m:freeze(true) end, "wants names", "a flag")
fails(function() m:fit(d, {epochs = 1}) end, "nothing to train", "all frozen")
nn.reset_names(); local bn = nn.Sequential{nn.Dense(4, {input_shape = {2}}), nn.BatchNormalization(), nn.Dense(2, "softmax")}
bn:compile{optimizer = "sgd", loss = "sparse_categorical_crossentropy"}; bn:freeze("batch*"); local mean = bn.layers[2].moving_mean; bn:fit(d, {epochs = 1, verbose = 0}); ok(bn.layers[2].moving_mean == mean, "a frozen BatchNormalization keeps its averages")

-- weights by name
local path = folder .. "/net-3.safetensors"
nn.reset_names(); local part = nn.Sequential{nn.Dense(8, {input_shape = {2}, name = "body"}), nn.Dense(3, {name = "head"}), nn.Dense(1, {name = "more"})}
local report = part:load_weights(path, {by_name = true, skip_mismatch = true})
is(table.concat(report.matched, " "), "body/kernel body/bias", "matched"); is(table.concat(report.missing, " "), "more/kernel more/bias", "missing"); is(table.concat(report.surplus, " "), "neck/bias neck/kernel", "surplus")
ok(report.mismatched["head/kernel"]:find("(6, 2)", 1, true) and report.mismatched["head/bias"], "mismatched, with reasons"); ok(part.layers[1].kernel == kept.layers[1].kernel, "the weights that fit are there")
ok(tostring(report):find("2 weights are taken, 6 left out", 1, true), "prints what was taken")
fails(function() part:load_weights(path, {by_name = true}) end, "head/kernel has shape (6, 2)", "another shape is refused without skip_mismatch", "data"); fails(function() part:load_weights(path) end, "and 5 more", "all that does not fit counts without by_name", "data")
fails(function() nn.Sequential{nn.Dense(2, {input_shape = {3}, name = "other"})}:load_weights(path, {by_name = true}) end, "no weight of the file has a name", "nothing fits", "data"); is(#m:load_weights(path).missing, 0, "a model built alike")

-- fine tuning
local function tuned(options, optimizer)
    local t = net(optimizer or nn.SGD(0.1)); t:load_weights(path)
    options.epochs, options.verbose, options.shuffle, options.batch_size, options.seed = 1, 0, false, 128, 1
    t.layers[2].trainable = true; local run = t:fine_tune(d, options); return t, run
end
local function moved(a, b) return ((a - b) ^ 2):sum():item() ^ 0.5 end
local full, part1, part2 = tuned{}, tuned{decay = 0.5}, tuned{rates = {["b*"] = 0.25, body = 0.125}}
near(part1.layers[1].learning_rate_multiplier, 0.25, "decay counts layers with weights"); near(part1.layers[3].learning_rate_multiplier, 0.5, "from the last")
near(moved(part1.layers[1].kernel, kept.layers[1].kernel), 0.25 * moved(full.layers[1].kernel, kept.layers[1].kernel), "SGD moves a layer by its share", 1e-3)
near(moved(part2.layers[1].kernel, kept.layers[1].kernel), 0.125 * moved(full.layers[1].kernel, kept.layers[1].kernel), "the longer name wins", 1e-3)
local quick, run5 = tuned{learning_rate = 0.2}; near(moved(quick.layers[1].kernel, kept.layers[1].kernel), 2 * moved(full.layers[1].kernel, kept.layers[1].kernel), "its own learning rate", 1e-3); is(run5.status, "finished", "gives the run")
part1:save(folder .. "/tuned.safetensors"); near(nn.load(folder .. "/tuned.safetensors").layers[1].learning_rate_multiplier, 0.25, "factors are saved")
m = net(); m:freeze(); m:fine_tune(d, {unfreeze = "head", epochs = 1, verbose = 0}); ok(m.layers[4].trainable and not m.layers[1].trainable, "unfreeze")
fails(function() m:fine_tune(d, {decay = 2}) end, "decay", "a decay above 1"); fails(function() m:fine_tune(d, {rates = {x = 1}}) end, "x", "rates for no layer"); fails(function() m:fine_tune(d, {rates = {head = -1}}) end, "at least 0", "a negative factor")
m = net(); m:freeze(); m.layers[1].learning_rate_multiplier = 0.25
fails(function() m:fine_tune(d, {unfreeze = 1, decay = 0.5, rates = {head = -1}}) end, "factor of at least 0", "a bad rate is refused", "arg")
fails(function() m:fine_tune(d, {unfreeze = 1, decay = 0.5, learning_rate = 1, schedule = nn.Constant(1)}) end, "not both", "as are two rates", "arg")
ok(not m.layers[1].trainable and m.layers[1].learning_rate_multiplier == 0.25, "what is refused changes nothing")
fails(function() m:freeze({"none*"}) end, "freeze: no layer is called", "a list of patterns that fit nothing", "arg")
fails(function() m:lr_find(d, {stop = 0 / 0}) end, "stop must be a number", "no number"); fails(function() m:lr_find(d, nil, {[1] = 1}) end, "options by name", "an option without a name", "arg")
m = net(); m:freeze(); fails(function() m:fine_tune(d, {unfreeze = "head", decay = 0.5, epocs = 1}) end, "epocs", "what fit refuses is refused")
ok(not m.layers[4].trainable and m.layers[1].learning_rate_multiplier == 1 and m.layers[4].learning_rate_multiplier == 1, "and has changed nothing")
fails(function() m:fine_tune(d, {learning_rate = -1}) end, "learning_rate", "a negative rate"); fails(function() m.layers[1].learning_rate_multiplier = "x" end, "wants a number", "a factor that is text")

-- decay left out by name
local w = nn.AdamW{exclude_from_weight_decay = {"bias", "norm"}}; is(w.exclude_from_weight_decay, "bias,norm", "a list of parts of names"); fails(function() nn.AdamW{exclude_from_weight_decay = {3}} end, "list of texts", "a number among them")
ok(nn.Dense(2, {kernel_regularizer = "orthogonal(0.1, mode=columns)"}), "the orthogonal regulariser"); fails(function() nn.Dense(2, {kernel_regularizer = "orthogonal(mode=diagonal)"}) end, "rows", "an unknown mode")
fails(function() local c = nn.Sequential{nn.Conv2D(2, 3, {input_shape = {4, 4, 1}, kernel_regularizer = "orthogonal"}), nn.Flatten(), nn.Dense(1)}; c:compile{optimizer = "sgd", loss = "mse"}; c:fit(tensor.zeros(2, 4, 4, 1), {1, 2}, {verbose = 0}) end, "wants a matrix", "a kernel of four axes")
-- regularisers within attention and within composites, and as objects
local seq = tensor.randn(2, 3, 4, {seed = 1})
local function penalty(make)
    local function loss(rule)
        nn.reset_names()
        local i = nn.Input({3, 4})
        local m2 = nn.Model(i, make(i, rule))
        m2:compile{optimizer = "sgd", loss = "mse"}
        for _, layer in ipairs(m2.layers) do
            local weights = layer:get_weights()
            for k = 1, #weights do weights[k] = weights[k] * 0 + 0.1 end
            layer:set_weights(weights)
        end
        return m2:test_on_batch(seq, seq).loss
    end
    return loss("l2(0.1)") - loss(nil)
end
near(penalty(function(i, rule) return nn.MultiHeadAttention(2, 2, {kernel_regularizer = rule})(i, i) end), 0.1 * 0.01 * 4 * 16, "attention's four kernels are penalised", 1e-4)
local plain = penalty(function(i, rule) return nn.Dense(4, {kernel_regularizer = rule})(i) end); near(plain, 0.1 * 0.01 * 16, "as a Dense's is", 1e-4)
local function block(rule)
    nn.reset_names()
    local m2 = nn.Sequential{nn.TransformerEncoder(5, 2, {kernel_regularizer = rule, input_shape = {3, 4}})}
    m2:compile{optimizer = "sgd", loss = "mse"}
    return m2
end
local b1, b2, sum = block(nil), block("l2(0.1)"), 0
b1:save(folder .. "/block.safetensors"); b2:load_weights(folder .. "/block.safetensors")
for name, w2 in pairs(tensor.load(folder .. "/block.safetensors")) do if name:find("kernel$") then sum = sum + (w2 * w2):sum():item() end end
near(b2:test_on_batch(seq, seq).loss - b1:test_on_batch(seq, seq).loss, 0.1 * sum, "an encoder hands it to its layers", 1e-4)
fails(function() nn.Sequential{nn.Dense(2, {bias_constraint = "max_norm(axis=1)", input_shape = {3}})} end, "an axis that a weight of shape (2)", "a constraint along an axis that is not there")
is(nn.regularizers.L1L2(0.5, {l2 = 0.25}), "l1_l2(l1=0.5, l2=0.25)", "a regulariser as an object"); is(nn.constraints.MaxNorm{axis = {0, 1}}, "max_norm(axis=0,1)", "a constraint"); is(nn.constraints.NonNeg(), "non_neg", "without arguments")
ok(nn.Dense(2, {kernel_regularizer = nn.regularizers.OrthogonalRegularizer(0.1, "columns"), bias_constraint = nn.constraints.UnitNorm()}), "layers take them")
fails(function() nn.regularizers.L2(1, 2) end, "takes l2", "too many"); fails(function() nn.regularizers.L2{l1 = 1} end, "no argument", "an unknown name"); fails(function() nn.Dense(2, {kernel_regularizer = nn.regularizers.L2(-1)}) end, "l2", "a negative factor")
os.execute("rm -r '" .. folder .. "'")
tap.done()
