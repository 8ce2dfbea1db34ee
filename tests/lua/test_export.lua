-- SPDX-License-Identifier: MIT
-- model:config, model:graph, model:export. That the Python runs and predicts the same is seen by tests/fixtures/export/check.py.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails = tap.ok, tap.is, tap.near, tap.fails
nn.reset_names()
local function has(text, part, name) if not ok(text:find(part, 1, true), name) then print("#   no \"" .. part .. "\" in:\n" .. text:gsub("([^\n]+)", "#   %1")) end end

local m = nn.Sequential{nn.Conv2D(4, 3, {activation = "relu", input_shape = {6, 6, 1}}), nn.MaxPooling2D(2), nn.Flatten(), nn.Dense(2, "softmax", {kernel_initializer = "random_normal(stddev=0.5)"})}
local config = m:config()
is(config.kind, "Sequential", "its kind"); is(#config.nodes, 5, "an Input and four layers"); is(config.nodes[2].args.filters, 4, "arguments with their types")
is(config.nodes[2].args.padding, nil, "defaults are left out"); is(config.nodes[3].from[1][1], 2, "where inputs come from")
local graph = m:graph()
has(graph, "flowchart TD", "Mermaid"); has(graph, 'n2["conv2d<br/>Conv2D (4, 4, 4)<br/>40 parameters"]', "a box for a layer"); has(graph, "n4 --> n5", "and an arrow")

local keras = m:export("keras")
has(keras, "keras.Input(shape=(6, 6, 1)),", "the input"); has(keras, 'layers.Conv2D(activation="relu", filters=4, kernel_size=(3, 3), name="conv2d"),', "a layer")
has(keras, "kernel_initializer=keras.initializers.RandomNormal(stddev=0.5)", "an initialiser with arguments"); has(keras, "def load_weights(model, path)", "a loader")
keras = nn.Sequential{nn.Dense(2, {kernel_regularizer = "l2(0.1)", bias_constraint = "non_neg", input_shape = {3}})}:export("keras")
has(keras, "kernel_regularizer=keras.regularizers.L2(0.1)", "a regulariser"); has(keras, "bias_constraint=keras.constraints.NonNeg()", "a constraint")
local torch = m:export("torch")
has(torch, "self.conv2d = nn.Conv2d(1, 4, (3, 3)", "PyTorch's convolution"); has(torch, 'stored["conv2d/kernel"].permute(3, 2, 0, 1)', "kernels are turned"); has(torch, 'stored["dense/kernel"].T', "and transposed")

-- branches, a model within, several outputs, a shared layer
local x = nn.Input({4}, {name = "x"})
local shared = nn.Dense(4, {name = "shared"})
local inner_x = nn.Input({4})
local inner = nn.Model(inner_x, nn.Dense(2, {name = "deep"})(inner_x), {name = "inner"})
local f = nn.Model(x, nn.Add()(inner(shared(shared(x))), nn.Dense(2, {name = "side"})(x)), {name = "branched"})
keras = f:export("keras")
has(keras, "def make_inner():", "a function for the model within"); has(keras, "l_inner = make_inner()", "which is called"); has(keras, "return keras.Model(v1, ", "ends")
local _, uses = keras:gsub("l_shared%(", "")
is(uses, 2, "a shared layer is made once and used twice")
local t = nn.Input({3, 2})
local _, h = nn.LSTM(4, {return_state = true})(t)
local states = nn.Model(t, nn.Dense(1)(h))
has(states:export("keras"), "[1])", "a further output is named by its place"); has(states:graph(), "|output 2|", "in the drawing too")

fails(function() m:export("tf1") end, '"keras" or "torch"', "an unknown framework")
fails(function() states:export("torch") end, "PyTorch's source does not have", "what the other side lacks is named")
fails(function() nn.Sequential{nn.TransformerEncoder(8, 2, {input_shape = {3, 4}})}:export("keras") end, "keras_hub", "and where it is")
fails(function() nn.Sequential{nn.Dense(3)}:config() end, "not built", "a model without shapes", "state")
fails(function() return nn.add_method end, "is not there", "the way to add methods is closed")
tap.done()
