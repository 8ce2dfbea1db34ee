-- SPDX-License-Identifier: MIT
-- Weights that PyTorch and Keras saved give their predictions here, and go back as they came (fixtures/interop/make_interop.py).
local tap = dofile("tests/lua/tap.lua")
local ok, is, fails = tap.ok, tap.is, tap.fails
local base = "tests/fixtures/interop/"

local function worst(a, b) local d = a - b; return (d * d):max():item() ^ 0.5 end
local function predicts(model, name, what)
    local io = tensor.load(base .. name .. "_io.npz")
    local off = worst(model:predict(io.x), io.y)
    ok(off < 1e-5, ("%s (off by %.1e)"):format(what, off))
end
local function same_file(a, b)
    local x, y, n = tensor.load(a), tensor.load(b), 0
    for name, value in pairs(x) do
        if not name:find("num_batches_tracked", 1, true) then
            if not (y[name] and tostring(y[name].shape) == tostring(value.shape) and worst(y[name], value) == 0) then return false, name end
            n = n + 1
        end
    end
    for name in pairs(y) do if not x[name] then return false, name end end
    return n > 0
end

-- PyTorch: kernels, transposed and grouped ones, averages, rows behind Flatten
local x = nn.Input({6, 6, 3})
local y = nn.ReLU()(nn.BatchNormalization{epsilon = 1e-5, name = "bn"}(nn.Conv2D(4, {3, 2}, {name = "first"})(x)))
y = nn.Conv2D(8, 3, {groups = 4, padding = "same", activation = "relu", name = "second"})(y)
y = nn.Flatten()(nn.Conv2DTranspose(2, 3, {strides = 2, name = "up"})(y))
local picture = nn.Model(x, nn.Dense(5, {name = "fc"})(nn.BatchNormalization{epsilon = 1e-5, name = "norm"}(y)))
local names = {first = "features.0", bn = "features.1", second = "features.3"}
is(picture:load_torch(base .. "torch_picture.safetensors", {names = names}), 16, "all of PyTorch's weights are set")
predicts(picture, "picture", "convolutions predict as in PyTorch")
local out = os.tmpname() .. ".safetensors"
picture:save_torch(out, {names = names}); ok(same_file(base .. "torch_picture.safetensors", out), "and go back bit for bit")

-- gates
local function sequence()
    return nn.Sequential{nn.Embedding(7, 4, {input_shape = {6}, name = "words"}), nn.Conv1D(5, 2, {name = "conv"}), nn.LSTM(3, {return_sequences = true, name = "lstm"}),
        nn.GRU(4, {return_sequences = true, name = "gru"}), nn.SimpleRNN(3, {name = "rnn"}), nn.LayerNormalization{name = "norm"}, nn.Dense(2, {use_bias = false, name = "out"})}
end
local gates = sequence()
is(gates:load_torch(base .. "torch_sequence.safetensors"), 15, "gates by their own names"); predicts(gates, "sequence", "recurrent layers predict as in PyTorch")
gates:save_torch(out); local again = sequence(); again:load_torch(out); predicts(again, "sequence", "and there and back")
local stored, want = tensor.load(out), tensor.load(base .. "torch_sequence.safetensors")
ok(worst(stored["gru.weight_ih_l0"], want["gru.weight_ih_l0"]) == 0 and worst(stored["gru.bias_hh_l0"], want["gru.bias_hh_l0"]) == 0, "GRU's gates and both biases in PyTorch's order")
ok(worst(stored["lstm.bias_ih_l0"] + stored["lstm.bias_hh_l0"], want["lstm.bias_ih_l0"] + want["lstm.bias_hh_l0"]) < 1e-6, "the sum of LSTM's biases")

-- a depthwise kernel, and a net that counts channels last
local deep = nn.Sequential{nn.DepthwiseConv2D(2, {depth_multiplier = 2, input_shape = {3, 3, 3}, name = "d"}), nn.Flatten(), nn.Dropout(0.5), nn.Dense(2, {name = "fc"})}
deep:save_torch(out); stored = tensor.load(out)
is(tostring(stored["d.weight"].shape), "(6, 1, 2, 2)", "depthwise"); is(stored["d.weight"][4][1][1][2], deep.layers[1].kernel[1][2][2][2], "its numbers: channel 1, multiple 1")
is(stored["fc.weight"][1][2], deep.layers[4].kernel[7][1], "the second row of channels first is the next place of the first channel")
deep:save_torch(out, {channels_last = true}); is(tensor.load(out)["fc.weight"][1][2], deep.layers[4].kernel[2][1], "channels last: the next channel")

-- what does not fit
fails(function() sequence():load_torch(base .. "torch_picture.safetensors") end, "no words.weight for words/embeddings", "another net's file")
fails(function() picture:load_torch(base .. "torch_picture.safetensors") end, 'names = {["first"]', "names that differ")
fails(function() nn.Sequential{nn.Dense(4, {input_shape = {198}, name = "fc"})}:load_torch(base .. "torch_picture.safetensors", {partial = true}) end, "does not become (198, 4)", "another width")
fails(function() nn.Sequential{nn.Dense(5, {input_shape = {198}, name = "fc"})}:load_torch(base .. "torch_picture.safetensors") end, "partial = true leaves it", "more in the file")
is(nn.Sequential{nn.Dense(5, {input_shape = {198}, name = "fc"})}:load_torch(base .. "torch_picture.safetensors", {partial = true}), 2, "a part of it")
fails(function() gates:load_torch(base .. "none.safetensors") end, "none", "no file"); fails(function() gates:load_torch(3) end, "file name", "no name"); fails(function() gates:load_torch(out, {name = {}}) end, "no argument", "an unknown option")
fails(function() gates:load_torch(base .. "torch_sequence.safetensors", {names = {lstmm = "x"}}) end, 'names has "lstmm"', "a layer that is not there"); fails(function() gates:load_torch(base .. "picture_io.npz") end, "no words.weight", "a file without weights")
fails(function() nn.Sequential{nn.GRU(2, {reset_after = false, input_shape = {3, 2}})}:save_torch(out) end, "reset_after = false", "a GRU that PyTorch does not have")
fails(function() nn.Sequential{nn.PReLU{input_shape = {2}}}:save_torch(out) end, "no order of PyTorch's yet", "a layer without an order")

-- Keras: by names alone
x = nn.Input({6, 6, 2})
y = nn.SeparableConv2D(4, 2, {name = "apart"})(nn.BatchNormalization{name = "bn"}(nn.Conv2D(3, 3, {activation = "relu", name = "first"})(x)))
y = nn.Bidirectional(nn.LSTM(3, {return_sequences = true}), {name = "both"})(nn.Reshape({9, 4}, {name = "steps"})(y))
y = nn.GRU(4, {name = "gru"})(nn.MultiHeadAttention(2, 3, {name = "attention"})(y, y))
local mixed = nn.Model(x, nn.Dense(3, "softmax", {name = "out"})(y))
is(#mixed:load_weights(base .. "keras_mixed.safetensors", {by_name = true}).matched, 28, "Keras's weights by name"); predicts(mixed, "mixed", "predict as in Keras")
mixed:save(out); local ours, theirs = tensor.load(out), tensor.load(base .. "keras_mixed.safetensors")
local n = 0; for name, value in pairs(theirs) do if ours[name] and worst(ours[name], value) == 0 then n = n + 1 end end
is(n, 28, "and stand under the same names in our file")
os.remove(out)
tap.done()
