-- SPDX-License-Identifier: MIT
-- Layers with several outputs, layers made of layers, and what becomes of them in files.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails, shape = tap.ok, tap.is, tap.near, tap.fails, tap.shape
nn.reset_names()

-- a model with two outputs as a layer of another
local x = nn.Input({4})
local hidden = nn.Dense(3, {activation = "tanh", name = "hidden"})(x)
local sum, scaled = nn.Dense(2, {name = "left"})(hidden), nn.Rescaling(2, {name = "right"})(hidden)
local both = nn.Model(x, {sum, scaled}, {name = "both"})
local z = nn.Input({4})
local a, b = both(z)
is(tostring(a.shape), "(-1, 2)", "the first output"); is(tostring(b.shape), "(-1, 3)", "the second")
local joined = nn.Concatenate()({a, b})
local outer = nn.Model(z, nn.Dense(1, {name = "head"})(joined), {name = "outer"})
local data = tensor{{1, 2, 3, 4}, {0.5, -1, 0, 2}}
shape(outer:predict(data), "(2, 1)", "the outer model predicts")
local first, second = both(data)
near(second[1][1], 2 * (both:get_layer("hidden")(data))[1][1], "outputs of a call on tensors", 1e-6)
is(#outer.layers, 3, "what picks an output is no layer of the user's")
local lines = {}
outer:summary{print_fn = function(line) lines[#lines + 1] = line end}
local text = table.concat(lines, "\n")
ok(#lines > 10 and not text:find("Pick"), "nor of the summary"); ok(text:find("both[0][1]", 1, true), "which says which output")
fails(function() nn.Sequential({both}) end, "2 outputs", "a Sequential passes one on")

local file = os.tmpname() .. ".safetensors"
outer:save(file)
local again = nn.load(file)
near(again:predict(data)[2][1], outer:predict(data)[2][1], "loaded: the same prediction", 0); is(#again.layers, 3, "and the same layers")

-- a wrapper
local wrapped = nn.TimeDistributed(nn.Dense(3, "relu"), {input_shape = {5, 2}})
local m = nn.Sequential{wrapped, nn.Flatten(), nn.Dense(1)}
is(tostring(m.layers[1].kind), "TimeDistributed", "its kind"); is(m.layers[1]:count_params(), 9, "its weights")
local steps = tensor{{{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}}}
near(m:predict(steps)[1][1], nn.Sequential{m.layers[1], m.layers[2], m.layers[3]}:predict(steps)[1][1], "shared with another model", 0)
m:save(file)
near(nn.load(file):predict(steps)[1][1], m:predict(steps)[1][1], "a wrapper is saved and loaded", 0)
local names = {}
for name in pairs(tensor.load(file)) do names[#names + 1] = name end
ok(table.concat(names, " "):find("time_distributed/dense%S*/kernel"), "weights stand below its name")
m:compile{optimizer = nn.SGD(0.001), loss = "mse"}
local before = m:evaluate(steps, tensor{{1}}).loss
m:fit(steps, tensor{{1}}, {epochs = 20, verbose = 0})
ok(m:evaluate(steps, tensor{{1}}).loss < before, "it trains")
fails(function() nn.TimeDistributed(3) end, "wraps a layer", "a number is no layer"); fails(function() nn.TimeDistributed() end, "layer", "nothing to wrap")
fails(function() nn.TimeDistributed(m) end, "wraps a layer", "a model is none"); fails(function() nn.TimeDistributed(m.layers[3]) end, "in use elsewhere", "a layer in use")
fails(function() nn.Sequential{nn.TimeDistributed(nn.Dense(3), {input_shape = {4}})} end, "nn.Reshape", "no time", "shape")
os.remove(file)

-- weights of what a layer is made of
do
  local function block() return nn.Sequential{nn.TransformerEncoder(6, 2, {input_shape = {3, 4}}), nn.Bidirectional(nn.LSTM(2))} end
  local from, to, data = block(), block(), tensor.rand(2, 3, 4)
  is(#from.layers[1].weights, 16, "a block's weights: four projections, two dense layers, two norms"); is(#from.layers[2]:get_weights(), 6, "those of both directions")
  ok(not (from:predict(data) == to:predict(data)), "two blocks differ")
  for i = 1, 2 do to.layers[i]:set_weights(from.layers[i].weights) end
  ok(from:predict(data) == to:predict(data), "until one has the other's weights")
  fails(function() to.layers[1]:set_weights{} end, "list of 16 tensors", "too few")
end
tap.done()
