-- SPDX-License-Identifier: MIT
-- Models with several inputs and outputs: what Keras tells of the same steps (fixtures/train/make_outputs.py), and bad input.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails = tap.ok, tap.is, tap.near, tap.fails

local f = tensor.load("tests/fixtures/train/outputs.safetensors")
local N, B = 40, 8
local function network()
    local a, b = nn.Input({4}, {name = "left"}), nn.Input({3}, {name = "right"})
    local h = nn.Dense(6, {activation = "tanh", kernel_regularizer = "l2(0.01)", name = "hidden"})(nn.Concatenate{name = "both"}{a, b})
    local m = nn.Model({a, b}, {nn.Dense(1, {name = "price"})(h), nn.Dense(3, {activation = "softmax", name = "kind"})(h)})
    for _, name in ipairs{"hidden", "price", "kind"} do
        local layer = m:get_layer(name)
        layer.kernel, layer.bias = f["start/" .. name .. "/kernel"], f["start/" .. name .. "/bias"]
    end
    return m
end
local function compile(m, change)
    local given = {optimizer = nn.SGD(0.1), loss = {price = "mse", kind = "sparse_categorical_crossentropy"}, loss_weights = {price = 0.3, kind = 1.5},
        metrics = {price = {"mae"}, kind = {"accuracy"}}, weighted_metrics = {price = {"mae"}, kind = {"accuracy"}}}
    for key, value in pairs(change or {}) do given[key] = value end
    m:compile(given)
    return m
end
local function compiled(change) return compile(network(), change) end
local left, right, price, kind = f.left, f.right, f.price, f.kind
local w_price, w_kind = f["weight/price"], f["weight/kind"]
local function near_rel(a, b) return math.abs(a - b) <= 2e-5 * (math.abs(b) + 1e-2) end
local function close(logs, prefix, what)
    local n, bad = 0, nil
    for key in pairs(f) do
        local name = key:sub(1, #prefix + 1) == prefix .. "/" and key:sub(#prefix + 2)
        if name then
            n = n + 1
            local want, got = f[key], logs[name]
            if type(got) == "number" then got = {got} end
            for i = 1, #want do
                if not got or not near_rel(got[i], want[i]) then bad = ("%s[%d]: %s, not %g"):format(name, i, got and got[i], want[i]) end
            end
        end
    end
    ok(n >= 5 and not bad, what .. (bad and ": " .. bad or ""))
end
local function cut(t, from, to) return t:slice(from, to) end

-- the same steps, by list and by name
for _, case in ipairs{"none", "one", "each"} do
    local m = compiled()
    for step = 1, 5 do
        local a, b = (step - 1) * B + 1, step * B
        local w
        if case == "one" then w = cut(w_price, a, b) elseif case == "each" then w = {cut(w_price, a, b), cut(w_kind, a, b)} end
        local logs = m:train_on_batch({cut(left, a, b), cut(right, a, b)}, {price = cut(price, a, b), kind = cut(kind, a, b)}, {sample_weight = w})
        close(logs, case .. "/" .. step, "step " .. step .. ", sample_weight: " .. case)
        if step == 1 then
            local names = {}
            for key in pairs(logs) do names[#names + 1] = key end
            table.sort(names)
            is(table.concat(names, " "), "kind_accuracy kind_loss kind_weighted_accuracy loss price_loss price_mae price_weighted_mae", "Keras's names")
        end
    end
    local w
    if case == "one" then w = w_price elseif case == "each" then w = {price = w_price, kind = w_kind} end
    close(m:evaluate({left = left, right = right}, {price, kind}, {batch_size = B, sample_weight = w}), case .. "/evaluate", "evaluate, sample_weight: " .. case)
    close(m:test_on_batch({left, right}, {kind = kind, price = price}, {sample_weight = w}), case .. "/evaluate", "test_on_batch")
end

-- a mask on one output alone
do
    local token = nn.Input({5}, {dtype = "int32", name = "token"})
    local e = nn.Embedding(6, 4, {mask_zero = true, name = "table"})(token)
    local m = nn.Model(token, {nn.Dense(3, {activation = "softmax", name = "tags"})(e), nn.Dense(1, {name = "score"})(nn.LSTM(4, {name = "reader"})(e))})
    for key in pairs(f) do
        local layer, weight = key:match("^masked/start/([^/]+)/(.+)$")
        if layer then m:get_layer(layer)[weight] = f[key] end
    end
    m:compile{optimizer = nn.SGD(0.1), loss = {"sparse_categorical_crossentropy", "mse"}, loss_weights = {2, 0.5}, metrics = {{"accuracy"}, {"mae"}}}
    for step = 1, 3 do
        close(m:train_on_batch(f["masked/ids"], {f["masked/tags"], f["masked/score"]}), "mask/" .. step, "a mask on one output, step " .. step)
    end
end

-- fit
local function fit(m, options, x, y)
    options.verbose, options.batch_size, options.shuffle = 0, options.batch_size or B, options.shuffle or false
    return m:fit(x or {left, right}, y or {price, kind}, options)
end
local run = fit(compiled(), {epochs = 3, validation_split = 0.25, sample_weight = {w_price, w_kind}})
close(run.history, "fit", "fit with validation_split and weights")
ok(tostring(run):find("price_loss", 1, true) and tostring(run):find("val_kind_accuracy", 1, true), "the run tells all values")
local by_name = fit(compiled(), {epochs = 3, validation_data = {{left = cut(left, 31, 40), right = cut(right, 31, 40)}, {kind = cut(kind, 31, 40), price = cut(price, 31, 40)}, {cut(w_price, 31, 40), cut(w_kind, 31, 40)}},
    sample_weight = {price = cut(w_price, 1, 30), kind = cut(w_kind, 1, 30)}}, {left = cut(left, 1, 30), right = cut(right, 1, 30)}, {price = cut(price, 1, 30), kind = cut(kind, 1, 30)})
close(by_name.history, "fit", "everything by name")
is(run:confusion().matrix:sum():item(), 10, "the confusion matrix is of the output that classifies, here the second")
is(run:confusion().output, "kind", "which it names"); ok(tostring(run:confusion()):find("^output kind\n"), "also in print")
is(run.model:confusion({left, right}, {price, kind}).matrix:sum():item(), N, "model:confusion, too"); is(run.model:confusion({left, right}, {price, kind}).output, "kind", "by name")
is(#compiled():predict{left = left, right = right}, 2, "predict by name")

-- how much of the data is gone through
local m
local function go(case, options, width)
    options.epochs, options.validation_data = 4, {{left, right}, {price, kind}}
    local h = fit(compiled(), options, {cut(left, 1, 32), cut(right, 1, 32)}, {cut(price, 1, 32), cut(kind, 1, 32)}).history
    local known = {}
    for key, values in pairs(h) do -- Keras's lists leave out epochs without validation
        local list = {}
        for i = 1, #values do if values[i] == values[i] then list[#list + 1] = values[i] end end
        known[key] = list
    end
    is(#h.val_loss, 4, case .. ": a row for each epoch"); is(#known.val_loss, width, case .. ": so many are validated")
    close(known, case, case)
    return h
end
go("steps", {steps_per_epoch = 2}, 4); go("checks", {validation_steps = 2, validation_batch_size = 5}, 4)
local h = go("freq", {validation_freq = 2}, 2); go("list", {validation_freq = {1, 4}}, 2)
ok(h.val_loss[1] ~= h.val_loss[1] and h.val_loss[2] == h.val_loss[2], "nan where there was no validation"); ok(tostring(h):find(" - ", 1, true), "shown as -")
run = fit(compiled(), {epochs = 2, steps_per_epoch = 7})
is(run.steps, 14, "more steps than the rows give begin them anew")
local through = fit(compiled(), {epochs = 14, steps_per_epoch = 1}); is(through.steps, 14, "one step an epoch")
near(through.model:get_layer("price").bias[1], run.model:get_layer("price").bias[1], "the rows follow one another whatever an epoch is", 0)
local half = {steps_per_epoch = 3, shuffle = true, seed = 9, epochs = 5, wait = false, batch_size = B}
local function halves(options) local o = {paused = options}; for k, v in pairs(half) do o[k] = v end; return fit(compiled(), o) end
local straight = halves(); straight:wait(); local back = halves(true); back:step(8); back:rewind{step = 4}; back:resume(); back:wait()
is(back.history.loss[5], straight.history.loss[5], "rewound in the middle of such an epoch: the same bits")
back:rewind(2); is(back.steps, 9, "rewind counts such epochs"); back:resume(); back:wait(); is(back.history.loss[5], straight.history.loss[5], "and the same again")
local calls = 0
run = fit(compiled(), {epochs = 6, validation_freq = 3, validation_split = 0.25, callbacks = {nn.EarlyStopping{patience = 0}, nn.ReduceLROnPlateau{patience = 2, factor = 0.5},
    {on_epoch_end = function(epoch, logs) calls = calls + (logs.val_loss and 1 or 0) end}}})
is(#run.history.loss, 6, "epochs without validation do not count for EarlyStopping"); is(calls, 2, "callbacks are told of two validations"); near(run.learning_rate, 0.1, "nor for ReduceLROnPlateau")
local best = os.tmpname(); os.remove(best)
run = fit(compiled(), {epochs = 2, validation_freq = 2, validation_split = 0.25, callbacks = {nn.ModelCheckpoint(best .. "-{epoch}", {monitor = "val_kind_loss", save_best_only = true})}})
fails(function() nn.load(best .. "-1") end, best .. "-1", "an epoch without validation is not the best one", "io"); ok(nn.load(best .. "-2"):evaluate({left, right}, {price, kind}).loss, "the next may be"); os.remove(best .. "-2")
m = nn.Sequential{nn.Dense(1, {input_shape = {4}})}; m:compile{optimizer = "sgd", loss = "mse"}; local plain_loss = m:evaluate(left, price).loss
m:compile{optimizer = "sgd", loss = "mse", loss_weights = 0.5}; near(m:evaluate(left, price).loss, plain_loss / 2, "loss_weights of one output, a number"); m:compile{optimizer = "sgd", loss = "mse", loss_weights = {2}}; near(m:evaluate(left, price).loss, plain_loss * 2, "or a list")
local function refuse_fit(options, message, what) fails(function() options.epochs = 2; fit(compiled(), options) end, message, what, "arg") end
refuse_fit({steps_per_epoch = 0}, "steps_per_epoch must be a whole number from 1", "no steps"); refuse_fit({validation_steps = 2}, "validation_steps is given, but neither validation_data nor validation_split", "steps of no validation")
refuse_fit({validation_batch_size = 2}, "validation_batch_size is given", "batches of no validation"); refuse_fit({validation_freq = 0}, "validation_freq wants a number of epochs", "no validation at all")
refuse_fit({validation_freq = {}}, "or a list of epochs", "an empty list"); refuse_fit({validation_freq = {1, 0}}, "count from 1, got the number 0", "epoch 0"); refuse_fit({validation_freq = "x"}, "validation_freq wants", "validation_freq that is text")
fails(function() compiled():fit({left, right}, {price, kind}, {verbose = 3}) end, 'verbose is "auto", 0, 1 or 2', "verbose that is not there", "arg")

-- kinds of losses
m = compiled{loss = "mse", loss_weights = {1, 1}, metrics = {"mae", {"mse", "mae"}}, weighted_metrics = {{}, {}}}
local one_hot = tensor.zeros{N, 3}
for i = 1, N do one_hot[i][kind[i] + 1] = 1 end
local logs = m:evaluate({left, right}, {price, one_hot})
near(logs.price_loss + logs.kind_loss + 0.01 * (m:get_layer("hidden").kernel ^ 2):sum():item(), logs.loss, "one loss for all outputs, the sum with the penalty", 1e-5)
near(logs.kind_mse, logs.kind_loss, "metrics by a list of lists", 1e-6); ok(logs.price_mae and logs.kind_mae, "one name or several")
m = compiled{loss = {false, "sparse_categorical_crossentropy"}, loss_weights = {1, 2}, metrics = {kind = "accuracy"}, weighted_metrics = {{}, {}}}
logs = m:evaluate({left, right}, kind)
is(logs.kind_loss, nil, "a single loss is told as the loss"); ok(logs.kind_accuracy, "metrics keep their output's name")
near(m:evaluate({left, right}, {false, kind}).loss, logs.loss, "an output without a loss wants no target")
near(fit(m, {epochs = 1}, {left, right}, {kind = kind}).history.kind_accuracy[1], fit(compile(network(), {loss = {price = false, kind = "sparse_categorical_crossentropy"}}), {epochs = 1}).history.kind_accuracy[1], "nor does fit")
m = compiled{loss = {false, "sparse_categorical_crossentropy"}, metrics = {price = "mae"}, weighted_metrics = {{}, {}}, loss_weights = {0, 1}}
near(m:evaluate({left, right}, {price, kind}).price_mae, compiled():evaluate({left, right}, {price, kind}).price_mae, "an output may have metrics alone", 1e-6)
fails(function() m:evaluate({left, right}, {false, kind}) end, "target of output price is missing", "which then want their target", "arg")
m = compiled{loss = {price = function(t, p) return ((t - p) ^ 2):mean() end, kind = "sparse_categorical_crossentropy"}, metrics = {{"mae", worst = function(t, p) return (t - p):abs():max() end}, "accuracy"}, weighted_metrics = {{}, {}}}
near(m:evaluate({left, right}, {price, kind}).price_loss, compiled():evaluate({left, right}, {price, kind}).price_loss, "a function as one of the losses", 1e-6)
ok(m:evaluate({left, right}, {price, kind}).price_worst, "and as a metric")

-- saved, resumed and rewound
local function weights(model) local s = 0; for _, l in ipairs(model.layers) do if l.name ~= "both" then s = s + (l.kernel:abs():sum() + l.bias:sum()):item() end end; return s end
local path = os.tmpname()
-- Files hold float32: exactly what this build computes with, or (in double precision) its rounding.
local exact = tensor{1 / 3}[1] ~= 1 / 3
local function same(got, want, what) if exact then is(got, want, what) else near(got, want, what, 1e-6) end end
local function session(model, options)
    options.shuffle, options.seed, options.wait, options.epochs, options.sample_weight = true, 4, false, 4, {w_price, w_kind}
    return fit(model, options)
end
local whole = session(compiled(), {}); whole:wait()
local part = session(compiled(), {paused = true}); part:step(7); part:save(path)
part:rewind{step = 2}; part:resume(); part:wait()
is(part.history.price_loss[4], whole.history.price_loss[4], "rewound and gone on: the same bits"); is(weights(part.model), weights(whole.model), "in weights, too")
local again = session(nn.load(path), {resume = path}); again:wait()
same(again.history.kind_loss[4], whole.history.kind_loss[4], "resumed from a file without compiling: the same bits"); same(weights(again.model), weights(whole.model), "in weights, too")
local branch = session(compiled(), {paused = true}); branch:step(3); local other = branch:branch(); other:resume(); other:wait(); branch:stop()
is(other.history.price_mae[4], whole.history.price_mae[4], "a branch, too")
local loaded = nn.load(path)
near(loaded:evaluate({left, right}, {price, kind}).price_weighted_mae, loaded:evaluate({left, right}, {price, kind}).price_mae, "a loaded model evaluates at once")
-- what compile was given stands in the file: a model that is not compiled goes on from it
local plain = network(); local from_file = session(plain, {resume = path}); from_file:wait()
same(from_file.history.kind_loss[4], whole.history.kind_loss[4], "resumed by a model that was never compiled"); same(weights(plain), weights(whole.model), "with the same weights")
local cold = network()
fails(function() session(cold, {resume = path, batch_size = 9}) end, "batch_size", "a refused resume", "arg"); fails(function() cold:evaluate({left, right}, {price, kind}) end, "is not compiled", "leaves it as it was", "state")
local falling = session(compiled(), {paused = true, schedule = nn.CosineDecay(0.1, 20)}); falling:step(6); falling:save(path); falling:resume(); falling:wait()
fails(function() session(nn.load(path), {resume = path}) end, "followed a schedule that fit was given", "a schedule of fit is not in the file", "arg")
local fallen = session(nn.load(path), {resume = path, schedule = nn.CosineDecay(0.1, 20)}); fallen:wait(); same(fallen.history.loss[4], falling.history.loss[4], "given again, it is followed exactly")
nn.Sequential{nn.Dense(1, {input_shape = {4}})}:save(path)
fails(function() session(network(), {resume = path}) end, "holds no state of training", "a file of a model alone", "data")
fails(function() session(network(), {resume = path .. "no"}) end, path .. "no", "a file that is not there", "io")
os.remove(path)

-- bad input
local function refuse(change, message, what, code) fails(function() compiled(change) end, message, what, code) end
local x, y = {left, right}, {price, kind}
refuse({loss = {"mse"}}, "the model has 2 outputs, the list holds 1", "too few losses", "arg")
refuse({loss = {"mse", "mse", "mse"}}, "the list holds 3", "too many losses", "arg")
refuse({loss = {price = "mse", knd = "mse"}}, 'no output "knd" (did you mean "kind"?)', "a mistyped output", "name")
refuse({loss = {price = "mse"}}, "no loss for output kind; kind = false means none", "a missing output", "arg")
refuse({loss = {false, false}}, "wants an optimizer and a loss", "no loss at all", "arg")
refuse({loss_weights = {1}}, "the list holds 1", "too few weights of losses", "arg")
refuse({loss_weights = {price = 1}}, "weight of output kind is a number, got nothing", "a missing weight", "arg")
refuse({loss_weights = {price = 1, kind = "x"}}, "weight of output kind is a number", "a weight that is text", "arg")
refuse({loss_weights = 0.5}, "a number for each of 2 outputs", "one weight for two losses", "arg")
refuse({metrics = {"mae"}}, "the list holds 1", "metrics for one of two outputs", "arg")
refuse({metrics = "mae"}, "say of which of the 2 outputs", "a metric of no output", "arg")
refuse({metrics = {prize = "mae"}}, 'did you mean "price"', "metrics of an unknown output", "name")
refuse({metrics = {{"mae", "mse", "mape", "msle", "cosine_similarity", "r2_score", "rmse", "mae", "mse"}, {"accuracy", "acc", "mse", "mae", "mape", "msle", "accuracy", "mae"}}}, "at most 16 metrics", "too many metrics", "arg")
m = compiled()
fails(function() m:evaluate(x, price) end, "has 2 outputs (price, kind), got targets for 1", "one target for two outputs", "arg")
fails(function() m:evaluate(x, {price, kind, kind}) end, "has 2 outputs (price, kind), got targets for 3", "three targets", "arg")
fails(function() m:evaluate(x, {price = price}) end, "target of output kind is missing", "a missing target", "arg")
fails(function() m:evaluate(x, {price = price, kin = kind}) end, 'no output "kin" (did you mean "kind"?); its outputs are price, kind', "a mistyped target", "name")
fails(function() m:evaluate({left}, y) end, "the model has 2 inputs, the list holds 1", "one input for two", "arg")
fails(function() m:evaluate({left = left}, y) end, "no data for input right", "a missing input", "arg")
fails(function() m:evaluate({left = left, rigth = right}, y) end, 'no input "rigth" (did you mean "right"?)', "a mistyped input", "name")
fails(function() m:predict{left = left} end, "no data for input right", "also for predict", "arg")
fails(function() m:evaluate(left, y) end, "2 inputs, got data for 1", "one tensor for two inputs", "arg")
fails(function() m:evaluate(x, {price, cut(kind, 1, 39)}) end, "x has 40 samples, y has 39", "targets of other lengths", "shape")
fails(function() m:evaluate({left, cut(right, 1, 39)}, y) end, "different numbers of samples: 40 and 39", "inputs of other lengths", "shape")
fails(function() m:evaluate(x, {left, kind}) end, "output price", "a target of another shape names its output")
fails(function() m:evaluate(x, {price, kind + 1}) end, "output kind: sparse_categorical_crossentropy: label 3", "a label out of range", "data")
fails(function() m:fit(x, y, {class_weight = {[0] = 1, [1] = 2, [2] = 1}, verbose = 0}) end, "class_weight is for models with one output, this one has 2", "weights of classes", "arg")
fails(function() m:train_on_batch(x, y, {class_weight = {[0] = 1}}) end, "one output", "also by hand", "arg")
fails(function() m:evaluate(x, y, {sample_weight = {w_price}}) end, "2 outputs, the list holds 1", "weights for one of two outputs", "arg")
fails(function() m:evaluate(x, y, {sample_weight = {price = w_price, kid = w_price}}) end, 'did you mean "kind"', "weights of an unknown output", "name")
fails(function() m:evaluate(x, y, {sample_weight = cut(w_price, 1, 3)}) end, "each of 40 samples", "too few weights", "shape")
fails(function() m:fit(x, y, {validation_data = {x, price}, verbose = 0}) end, "validation_data", "validation with one target", "arg")
fails(function() m:fit(x, y, {epocs = 3}) end, 'did you mean "epochs"', "a mistyped argument is still one", "arg")
local single = nn.Sequential{nn.Dense(1, {input_shape = {4}})}; single:compile{optimizer = "sgd", loss = "mse"}
fails(function() single:fit({left, right}, price) end, "", "two inputs for a model of one")
fails(function() single:evaluate(left, {dens = price}) end, 'no output "dens"', "an unknown name where there is one output", "name")
tap.done()
