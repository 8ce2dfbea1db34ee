-- SPDX-License-Identifier: MIT
-- Classes of layers written in Lua: nn.layer.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails, shape = tap.ok, tap.is, tap.near, tap.fails, tap.shape

local calls = 0
local MyDense = nn.layer{
    name = "MyDense", args = {units = 4, activation = "tanh", gain = 1.5, use_bias = true},
    build = function(self, input_shape)
        self:add_weight("kernel", {input_shape[#input_shape], self.units}, "glorot_uniform")
        if self.use_bias then self:add_weight("bias", {self.units}, {initializer = "zeros"}) end
    end,
    call = function(self, x, training)
        calls = calls + 1
        local y = x:matmul(self.kernel)
        if self.use_bias then y = y + self.bias end
        return (self.activation == "tanh" and y:tanh() or y) * self.gain
    end,
}

-- a layer as any other
local layer = MyDense{units = 3, activation = "linear", input_shape = {2}}
is(layer.kind, "MyDense", "its class"); is(layer.name, "my_dense", "its name, as Keras makes it"); is(layer.units, 3, "an argument")
is(MyDense().name, "my_dense_1", "the next one")
local model = nn.Sequential{layer, nn.Dense(1)}
is(model:count_params(), 2 * 3 + 3 + 3 + 1, "its weights are counted")
shape(layer.kernel, "(2, 3)", "a weight by name"); is(layer.bias[1], 0, "made by its initializer")
layer.kernel = {{1, 0, 0}, {0, 1, 0}}
near(layer(tensor{{2, 4}})[1][2], 6, "called on a tensor: 4 * 1.5")
ok(tostring(layer):find("MyDense(", 1, true), "printed with its class")

-- equal to a built-in layer in training, bit by bit where the ops are the same
local x, y = tensor.randn(64, 2, {seed = 1}), tensor.randn(64, 1, {seed = 2})
local function train(first)
    local m = nn.Sequential{first, nn.Dense(1, {name = "head"})}
    m:compile{optimizer = "adam", loss = "mse"}
    m:fit(x, y, {epochs = 5, batch_size = 24, shuffle = false, verbose = 0})
    return m
end
local Plain = nn.layer{name = "Plain", args = {units = 8}, build = function(self, s)
    self:add_weight("kernel", {s[2], self.units}); self:add_weight("bias", {self.units}, "zeros") end,
    call = function(self, x) return op.linear(x, self.kernel, self.bias):relu() end}
local mine, own = train(Plain{input_shape = {2}, name = "one"}), train(nn.Dense(8, "relu", {input_shape = {2}, name = "one"}))
is(mine.layers[1].kernel, own.layers[1].kernel, "trained as nn.Dense is"); is(mine:predict(x), own:predict(x), "and predicts the same")

-- frozen, and weights that are not trained
local Fixed = nn.layer{name = "Fixed", build = function(self) self:add_weight("scale", {1}, "ones", {trainable = false}) end,
                       call = function(self, x) return x * self.scale end}
local fixed = train(Fixed{input_shape = {2}})
is(fixed.layers[1].scale[1], 1, "a weight that is not trainable stays")
local frozen = Plain{input_shape = {2}, trainable = false}
local before = frozen(x)
train(frozen)
is(frozen(x), before, "a frozen layer stays")

-- saved, and loaded where the class is not known
local file = os.tmpname() .. ".safetensors"
mine:save(file)
local made = calls
local back = nn.load(file)
tap.same(back:predict(x), mine:predict(x), "a loaded model gives the same"); is(calls, made, "without the Lua code")
is(back.layers[1].kind, "Plain", "its class is kept"); is(back.layers[1].units, 8, "and its arguments")
is(math.type(back.layers[1].units), "integer", "of their types")
local code = ([[local m = nn.load("%s"); assert(m.layers[1].units == 8); assert(#m.layers[1].weights == 2)
m:compile{optimizer = "sgd", loss = "mse"}; m:fit(tensor.ones(4, 2), tensor.ones(4, 1), {verbose = 0}); m:save("%s"); print(m:predict(tensor.ones(1, 2)).shape)]]):format(file, file)
local script = os.tmpname()
local out = io.open(script, "w"); out:write(code); out:close()
local hebb = os.getenv("HEBB") or "build/hebb"
ok(os.execute(hebb .. " " .. script .. " >/dev/null"), "another process loads it, trains it on and saves it again")
shape(nn.load(file):predict(x), "(64, 1)", "which loads again")
os.remove(script); os.remove(file)

-- in a functional model, shared
local a, b = nn.Input{shape = {2}}, nn.Input{shape = {2}}
local both = Plain()
local twin = nn.Model({a, b}, nn.Add()({both(a), both(b)}))
is(twin:count_params(), 24, "shared: its weights count once")

-- training differs
local Train = nn.layer{name = "OnlyTrain", call = function(self, x, training) return training and x * 3 or x end}
local t = nn.Sequential{Train{input_shape = {1}}, nn.Dense(1, {kernel_initializer = "ones"})}
t:compile{optimizer = nn.SGD(0.0), loss = "mse"}
near(t:train_on_batch(tensor{{1}}, tensor{{0}}).loss, 9, "training runs the call for training"); near(t:predict(tensor{{1}})[1][1], 1, "predict the other")

-- what cannot be
fails(function() nn.layer{} end, "name is the name of the class", "no name", "arg")
fails(function() nn.layer{name = "X"} end, "call is function(self, x, training)", "no call")
fails(function() nn.layer{name = "Dense", call = print} end, "nn.Dense is there already", "a name that is taken")
fails(function() nn.layer{name = "a b", call = print} end, "letters, digits", "no name")
fails(function() nn.layer{name = "X", call = print, colour = 1} end, 'no argument "colour"', "an unknown field")
fails(function() nn.layer{name = "X", call = print, args = {1}} end, "args has names", "arguments without names")
fails(function() nn.layer{name = "X", call = print, args = {name = 1}} end, "cannot be called name", "an argument that all have")
fails(function() nn.layer{name = "X", call = print, args = {f = print}} end, "a number, a text, true or false", "a default of another type")
fails(function() Plain{unit = 3} end, 'did you mean "units"', "a mistyped argument"); fails(function() Plain{units = "x"} end, "units", "of another type")
local function bad(build, text, what, call)
    fails(function() nn.Sequential{nn.layer{name = "Bad", build = build, call = call or function(_, x) return x end}{input_shape = {2}}} end, text, what)
end
bad(function(self) self:add_weight("kernel", {2, 2}, "glorot") end, "glorot", "an unknown initializer")
bad(function(self) self:add_weight("kernel", {-1}) end, "sizes must be 0 or more", "a shape that is none")
bad(function(self) self:add_weight("w", {1}); self:add_weight("w", {1}) end, "two weights called", "a name twice")
bad(function(self) self:add_weight("a/b", {1}) end, "letters, digits", "a name that files cannot hold")
bad(function(self) for i = 1, 17 do self:add_weight("w" .. i, {1}) end end, "at most 16 weights", "too many")
bad(function(self) error("in build") end, "test_classes.lua:", "an error in build, with its line")
bad(nil, "add_weight: weights are added in build", "a weight in call", function(self, x) self:add_weight("w", {1}) return x end)
bad(function(self) self:add_weight("w", {1}) end, "cannot look at values", "a look at a weight", function(self, x) return x * self.w:item() end)

tap.done()
