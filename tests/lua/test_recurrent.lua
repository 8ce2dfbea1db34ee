-- SPDX-License-Identifier: MIT
-- Recurrent layers as users meet them: several outputs, states between batches, masks, a task that needs memory.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails, shape = tap.ok, tap.is, tap.near, tap.fails, tap.shape
nn.reset_names()

-- outputs and shapes
local x = nn.Input({5, 3})
local y, h, c = nn.LSTM(4, {return_sequences = true, return_state = true})(x)
is(tostring(y.shape), "(-1, 5, 4)", "the sequence"); is(tostring(h.shape), "(-1, 4)", "h"); is(tostring(c.shape), "(-1, 4)", "c")
local decoded = nn.LSTM(4)({nn.Input({2, 3}, {name = "answer"}), h, c})
is(tostring(decoded.shape), "(-1, 4)", "initial states")
local a, b = nn.GRU(2, {return_state = true})(tensor.zeros({1, 3, 2}))
near(a[1][1], b[1][1], "without return_sequences the result is the last state", 0)
is(nn.GRU(7)(x).layer:count_params(), 3 * 7 * (3 + 7 + 2), "GRU's parameters"); is(nn.GRU(7, {reset_after = false})(x).layer:count_params(), 3 * 7 * (3 + 7 + 1), "and without reset_after")
is(nn.SimpleRNN(7)(x).layer:count_params(), 7 * (3 + 7 + 1), "SimpleRNN's"); is(nn.Bidirectional(nn.LSTM(4))(x).layer:count_params(), 2 * 4 * 4 * (3 + 4 + 1), "Bidirectional's")

-- initial values, as Keras draws them
local lstm = nn.Sequential{nn.LSTM(4, {input_shape = {5, 3}})}.layers[1]
for u = 1, 16 do is(lstm.bias[u], (u > 4 and u <= 8) and 1 or 0, "the forget gate's bias begins at 1") end
is(nn.Sequential{nn.LSTM(4, {unit_forget_bias = false, input_shape = {5, 3}})}.layers[1].bias[5], 0, "or not")
local r = nn.Sequential{nn.SimpleRNN(4, {input_shape = {5, 3}})}.layers[1].recurrent_kernel
for i = 1, 4 do
    for j = 1, 4 do
        local sum = 0
        for k = 1, 4 do sum = sum + r[k][i] * r[k][j] end
        near(sum, i == j and 1 or 0, "recurrent kernels are orthogonal", 1e-5)
    end
end

-- what does not fit
fails(function() nn.LSTM(4)(nn.Input({3})) end, "wants sequences of shape (time, features), got (3)", "no time", "shape")
fails(function() nn.LSTM(4)(nn.Input({3, 2, 2})) end, "nn.Reshape({time, features})", "an axis too many", "shape")
fails(function() nn.LSTM(4)({x, h}) end, "has 2 states: call it on {x} or {x, h, c}, got 2 inputs", "one state of two")
fails(function() nn.GRU(3)({x, h}) end, "wants initial states of shape (3), got (4)", "a state of another size", "shape")
fails(function() nn.LSTM(0) end, "units", "no units"); fails(function() nn.LSTM(4, {dropout = 1}) end, "dropout", "all dropped")
fails(function() nn.LSTM(4, {recurrent_activation = "softmax"}) end, "recurrent_activation must be one of", "an activation that it cannot do")
fails(function() nn.LSTM(4, {stateful = true})(x) end, "batch_size = 32", "stateful without a batch size", "shape")
fails(function() nn.Bidirectional(nn.Dense(4))(x) end, "wants a recurrent layer", "a layer without direction")
fails(function() nn.Bidirectional(nn.LSTM(4), {backward_layer = nn.LSTM(4)})(x) end, "go_backwards", "two layers of one direction")
fails(function() nn.Sequential{nn.LSTM(4, {return_state = true, input_shape = {5, 3}})} end, "3 outputs", "a Sequential passes one on")
fails(function() lstm:reset_states() end, "keeps no states", "nothing to reset")

-- stateful: step by step is one pass
local data = tensor.randn({2, 6, 3})
for _, kind in ipairs{"LSTM", "GRU", "SimpleRNN"} do
    local whole_in = nn.Input({6, 3})
    local whole = nn.Model(whole_in, nn[kind](4)(whole_in))
    local step_in = nn.Input({1, 3}, {batch_size = 2})
    local step = nn.Model(step_in, nn[kind](4, {stateful = true})(step_in))
    local from, to = whole.layers[1], step.layers[1]
    to.kernel, to.recurrent_kernel, to.bias = from.kernel, from.recurrent_kernel, from.bias
    local function last()
        local out
        for t = 1, 6 do out = step:predict(op.slice(data, {begin = {0, t - 1}, ["end"] = {2, t}})) end
        return out
    end
    local want, first = whole:predict(data), last()
    for i = 1, 2 do for u = 1, 4 do near(first[i][u], want[i][u], kind .. ": step by step", 1e-6) end end
    ok(math.abs(last()[1][1] - want[1][1]) > 1e-6, kind .. ": it goes on from there")
    step:reset_states()
    near(last()[2][3], want[2][3], kind .. ": reset_states begins anew", 1e-6)
    to:reset_states()
    is(to.state_h[1][1], 0, kind .. ": the layer's own reset")
    fails(function() step:predict(tensor.zeros({3, 1, 3})) end, "stateful for batches of 2", kind .. ": another batch size", "shape")
    local file = os.tmpname() .. ".safetensors"
    last()
    step:save(file)
    local again = nn.load(file)
    tap.same(again:predict(op.slice(data, {["end"] = {2, 1}}))[1][1], step:predict(op.slice(data, {["end"] = {2, 1}}))[1][1], kind .. ": saved with its states")
    os.remove(file)
end

-- a mask: what is padding does not count
local ids = nn.Input({6}, {dtype = "int32"})
local masked = nn.Model(ids, nn.GRU(4)(nn.Embedding(9, 3, {mask_zero = true})(ids)))
local long, short = masked:predict(tensor{{1, 2, 3, 0, 0, 0}}), masked:predict(tensor{{0, 0, 0, 1, 2, 3}})
for u = 1, 4 do near(long[1][u], short[1][u], "padding behind and in front", 1e-6) end

-- a task that needs memory: which symbol came first?
nn.reset_names()
local steps, n = 8, 96
local input, answer = {}, {}
for i = 1, n do
    local first = (i - 1) % 3
    input[i], answer[i] = {}, first
    for t = 1, steps do input[i][t] = t == 1 and first or 3 + (i * 7 + t * 5) % 3 end
end
input, answer = tensor(input, "int32"), tensor(answer, "int32")
for _, layer in ipairs{nn.LSTM(16), nn.GRU(16), nn.Bidirectional(nn.SimpleRNN(16))} do
    local m = nn.Sequential{nn.Embedding(6, 8, {input_shape = {steps}}), layer, nn.Dense(3, "softmax")}
    m:compile{optimizer = nn.Adam{learning_rate = 0.02}, loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
    m:fit(input, answer, {epochs = 20, batch_size = 32, verbose = 0})
    is(m:evaluate(input, answer).accuracy, 1, m.layers[2].kind .. " remembers the first symbol")
end

-- stateful training: a run that is rewound and goes on ends where it ended before
local function stateful()
    nn.reset_names()
    local sx = nn.Input({2, 3}, {batch_size = 2})
    local m = nn.Model(sx, nn.Dense(1)(nn.LSTM(4, {stateful = true, dropout = 0.2, recurrent_dropout = 0.2})(sx)))
    m:compile{optimizer = "sgd", loss = "mse"}
    return m
end
local sx, sy = tensor.ones({8, 2, 3}) * 0.5, tensor.ones({8, 1})
local m = stateful()
local run = m:fit(sx, sy, {epochs = 4, batch_size = 2, shuffle = false, verbose = 0, wait = false})
run:wait()
local end_h, end_w = m.layers[1].state_h, m.layers[1].kernel
ok(end_h[1][1] ~= 0, "training keeps states"); ok(math.abs(end_h[1][1] - end_h[2][1]) > 0, "one for each row")
run:rewind(2)
ok(m.layers[1].state_h[1][1] ~= end_h[1][1], "rewind brings back the states of then")
run:resume()
run:wait()
for i = 1, 2 do for u = 1, 4 do near(m.layers[1].state_h[i][u], end_h[i][u], "and from there the same ones come", 0) end end
near(m.layers[1].kernel[1][1], end_w[1][1], "with the same weights", 0)
tap.done()
