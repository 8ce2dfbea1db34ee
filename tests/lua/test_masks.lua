-- SPDX-License-Identifier: MIT
-- Masks: who makes them, who hands them on, and what losses and metrics make of them. Numbers with a comment are Keras 3's.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails = tap.ok, tap.is, tap.near, tap.fails
nn.reset_names()

local x = tensor{{{1}, {2}, {0}, {0}}, {{3}, {0}, {0}, {0}}, {{1}, {0}, {2}, {4}}}
local y = tensor{{{1}, {1}, {5}, {5}}, {{2}, {1}, {5}, {5}}, {{0}, {1}, {5}, {5}}}
local function model()
    local m = nn.Sequential{nn.Masking({input_shape = {4, 1}}), nn.Dense(1, {kernel_initializer = "ones"})}
    m:compile{optimizer = nn.SGD{learning_rate = 0.1}, loss = "mse", metrics = {"mae"}, weighted_metrics = {"mse"}}
    return m
end
local m = model()
local logs = m:evaluate(x, y)
near(logs.loss, 2.1666667, "the loss is the mean over the steps that count", 1e-6)      -- Keras
near(logs.mae, 1.1666666, "so is a metric", 1e-6)                                        -- Keras
near(logs.mse or logs.mean_squared_error, 2.1666667, "and a weighted one", 1e-6)         -- Keras
logs = m:evaluate(x, y, {batch_size = 2})
near(logs.loss, 1.6666666, "batches count by their samples in the loss", 1e-6)           -- Keras
near(logs.mae, 1.1666666, "and by their steps in metrics", 1e-6)                         -- Keras
m:fit(x, y, {batch_size = 3, epochs = 1, verbose = 0})
near(m.layers[2].kernel[1][1], 1.1333333, "one step of training", 1e-6)                  -- Keras
near(m.layers[2].bias[1], 0.0333333, "of the bias", 1e-6)                                -- Keras
local a, b = model(), model()
a:fit(x, y, {batch_size = 3, epochs = 1, verbose = 0, sample_weight = tensor{1, 0, 1}})
b:fit(op.slice(x, {step = {2}}), op.slice(y, {step = {2}}), {batch_size = 2, epochs = 1, verbose = 0})
near((a.layers[2].kernel[1][1] - 1) * 6 / 5, b.layers[2].kernel[1][1] - 1, "a sample of weight 0 gives nothing, its steps are counted", 1e-6)

-- token ids, and classes
local ids, labels = tensor({{1, 2, 0}, {3, 0, 0}}, "int32"), tensor({{0, 1, 1}, {1, 0, 0}}, "int32")
local e = nn.Sequential{nn.Embedding(4, 2, {mask_zero = true, input_shape = {3}}), nn.Dense(2, {activation = "softmax"})}
e.layers[1].embeddings = tensor{{0, 0}, {1, 0}, {0, 2}, {0.5, 0}}
e.layers[2].kernel = tensor{{1, 0}, {0, 1}}
e:compile{optimizer = "sgd", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
logs = e:evaluate(ids, labels)
near(logs.loss, 0.4714222, "classes of padding cost nothing", 1e-6); near(logs.accuracy, 2 / 3, "nor do they count", 1e-6) -- Keras
is(model():evaluate(tensor.zeros({1, 4, 1}), tensor.ones({1, 4, 1})).loss, 0, "nothing but padding costs nothing")

-- who hands them on: the last state ignores padding, if it hears of it
local rnn = nn.LSTM(3, {name = "reader"})
local function reads(make)
    local input = nn.Input({4, 2})
    local net = nn.Model(input, rnn(make(nn.Masking()(input))))
    local long = net:predict(tensor{{{1, 2}, {3, 1}, {0, 0}, {0, 0}}})
    local late = net:predict(tensor{{{0, 0}, {1, 2}, {0, 0}, {3, 1}}})
    return math.abs(long[1][1] - late[1][1]) < 1e-6
end
ok(reads(function(s) return nn.Dense(2, "tanh")(s) end), "Dense"); ok(reads(function(s) return nn.Dropout(0.5)(nn.Activation("relu")(s)) end), "Activation, Dropout")
ok(reads(function(s) return nn.LayerNormalization()(nn.Rescaling(2)(s)) end), "LayerNormalization, Rescaling")
ok(reads(function(s) return nn.Add()({s, nn.Dense(2)(s)}) end), "Add"); ok(reads(function(s) return nn.TimeDistributed(nn.Dense(2))(s) end), "TimeDistributed")
ok(reads(function(s) return nn.Bidirectional(nn.GRU(1, {return_sequences = true}))(s) end), "Bidirectional")
ok(reads(function(s) return nn.Dense(2)(nn.Concatenate()({s, s})) end), "Concatenate along features")
ok(not reads(function(s) return nn.Add()({s, nn.Reshape({4, 2})(s)}) end), "Add with an input that has no mask")
ok(not reads(function(s) return nn.Reshape({4, 2})(s) end), "Reshape ends it")

local in1, in2 = nn.Input({2, 1}), nn.Input({2, 1})
local along = nn.Model({in1, in2}, nn.LSTM(3)(nn.Concatenate(1)({nn.Masking()(in1), nn.Masking()(in2)})))
local one, other = along:predict({tensor{{{1}, {0}}}, tensor{{{2}, {0}}}}), along:predict({tensor{{{0}, {1}}}, tensor{{{2}, {0}}}})
near(one[1][1], other[1][1], "Concatenate along time", 1e-6)
fails(function() nn.Masking()(nn.Input({4})) end, "wants sequences of shape (time, features)", "no features", "shape")
tap.done()
