-- SPDX-License-Identifier: MIT
-- Lua functions as layers: traced, trained, saved, and what they may not do.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails, shape = tap.ok, tap.is, tap.near, tap.fails, tap.shape

local function lambda(f, input) return nn.Sequential{nn.Lambda(f, {input_shape = input or {3}})} end
local x = tensor{{1, 2, 3}, {4, 5, 6}}

-- what it computes
near(lambda(function(x) return x * x + 1 end):predict(x)[2][3], 37, "arithmetic with numbers")
near(lambda(function(x) return x:softmax() end):predict(x)[1]:sum():item(), 1, "ops as methods")
local outside = tensor{10, 20, 30}
near(lambda(function(x) return x * outside end):predict(x)[2][2], 100, "a tensor from outside is a constant")
outside[1] = 99
near(lambda(function(x) return op.matmul(x, tensor{{1}, {0}, {2}}) end):predict(x)[1][1], 7, "a product")
shape(lambda(function(x) return x:slice(1, 2, 1) end):predict(x), "(2, 2)", "a slice of an axis")
shape(lambda(function(x) return x:reshape{x.shape[1], 3, 1} end):predict(x), "(2, 3, 1)", "the batch's size among the arguments")
shape(lambda(function(x) return x:reshape{x.shape[1] * 3, 1}:reshape{-1, 3} end):predict(x), "(2, 3)", "a multiple of it")
near(lambda(function(x) return x:slice(1, x.shape[1] - 0) * 2 end):predict(x)[2][1], 8, "and as the end of a slice")
is(lambda(function(x) return x end):predict(x), x, "nothing at all")
near(lambda(function(x) local big = op.greater(x, 2); return big * x - (1 - big) * x end):predict(x)[1][1], -1, "a choice by elements")
near(lambda(function(x) return (x:to("int32"):to("float32")) end):predict(tensor{{1.5, 2, 3}})[1][1], 1, "types change by ops")
local many = tensor.rand(1000, 3)
local big = lambda(function(x) return x:reshape{x.shape[1], 1, 3}:reshape{-1, 3}:exp() end)
ok((big:predict(many) - many:exp()):abs():max():item() < 1e-6, "a batch of another size than any that was traced")

-- in functional models, with several inputs
local a, b = nn.Input{shape = {4}}, nn.Input{shape = {4}}
local d = nn.Model({a, b}, nn.Lambda(function(a, b) return (a - b):square():sum{axis = -1, keepdims = true} end)({a, b}))
near(d:predict{tensor{{1, 2, 3, 4}}, tensor{{1, 1, 1, 1}}}[1][1], 14, "two inputs")

-- training and inference
local noisy = nn.Sequential{nn.Lambda(function(x, training) return training and x * 0 or x end, {input_shape = {3}}), nn.Dense(1)}
noisy:compile{optimizer = nn.SGD(0.5), loss = "mse"}
local kernel = noisy.layers[2].kernel
noisy:fit(x, tensor{{1}, {1}}, {epochs = 1, batch_size = 2, verbose = 0})
is(noisy.layers[2].kernel, kernel, "training runs the trace for training: nothing reaches the kernel")
near(noisy.layers[2].bias[1], 1, "but the bias learns")

-- a loop of ops is unrolled; gradients pass
local through = nn.Sequential{nn.Dense(4, {input_shape = {3}}), nn.Lambda(function(x) for _ = 1, 3 do x = x:tanh() end return x end),
                              nn.Dense(1)}
through:compile{optimizer = "adam", loss = "mse"}
local before = through.layers[1].kernel
through:fit(x, tensor{{1}, {2}}, {epochs = 2, verbose = 0})
ok(through.layers[1].kernel ~= before, "the layer below learns through it")

-- saved with the model, without the function
local file = os.tmpname() .. ".safetensors"
local calls = 0
local whole = nn.Sequential{nn.Lambda(function(x) calls = calls + 1; return x:reshape{x.shape[1], 3} * tensor{1, -math.huge, 0.1} end, {input_shape = {3}, name = "odd"})}
local made = calls
whole:save(file)
local back = nn.load(file)
is(back:predict(many), whole:predict(many), "a loaded model gives the same")
is(calls, made, "and never calls the function")
is(back.layers[1].name, "odd", "its name is kept")
back:save(file); is(nn.load(file):predict(x), whole:predict(x), "saved and loaded again")
os.remove(file)

-- a layer before its shape is known
local late = nn.Sequential{nn.Lambda(function(x) return x * 2 end), nn.Dense(1)}
shape(late:predict(x), "(2, 1)", "traced at the first data")
local shared = nn.Lambda(function(x) return x * 2 end)
near(shared(x)[1][1], 2, "called on tensors")
fails(function() shared(tensor{{1}}) end, "wants inputs of shape (3), got (1); it was traced", "one layer serves one shape", "shape")

-- what it may not do
local function refuses(f, text, what, code) fails(function() lambda(f) end, text, what, code) end
refuses(function(x) return x:sum():item() end, "cannot look at values", "item", "state")
refuses(function(x) return x[1][1] end, "cannot look at values", "an element")
refuses(function(x) if x:sum() > 0 then return x end return -x end, "cannot look at values", "a comparison")
refuses(function(x) if x == x * 1 then return x end return -x end, "cannot look at values", "equality")
refuses(function(x) return tensor(x:totable()) end, "cannot look at values", "totable")
refuses(function(x) return tensor{x, x} end, "cannot look at values", "a list of them as a tensor")
refuses(function(x) x[1] = 0; return x end, "cannot look at values", "writing in place")
refuses(function(x) return x:detach() end, "cannot look at values", "detach")
refuses(function(x) x:assign(x); return x end, "cannot look at values", "assign")
refuses(function(x) return 3 end, "must return one tensor, got the number 3", "a number")
refuses(function(x) end, "must return one tensor, got nothing", "nothing")
refuses(function(x) return tensor{1, 2} end, "does not depend on its input", "a constant")
refuses(function(x) return x:argmax() end, "must return float32, got int32", "integers")
refuses(function(x) return x:sum() end, "must keep the batch as its first axis", "a sum over the batch", "shape")
refuses(function(x) return x:transpose() end, "must keep the batch as its first axis", "another order of axes")
refuses(function(x) return x * x.shape[1] end, "a number or tensor that it uses differs", "a number that follows the batch")
refuses(function(x) return x + tensor.rand(3) end, "something else for another size of the batch, or each time", "random numbers")
refuses(function(x) if x.shape[1] == 3 then return x:exp() end return x end, "the list of ops differs", "a choice by the batch")
refuses(function(x) return x:matmul(x) end, "matmul", "shapes that do not fit", "shape")
refuses(function(x) return x.foo.bar end, "test_lambda.lua:", "an error inside, with the line")
refuses(function(x) return x:item() end, "test_lambda.lua:", "the line of what looked")
refuses(function(x) error("my own words") end, "my own words", "the user's own error")
refuses(function(x) return x * tensor.zeros(200, 100) end, "", "too much from outside, or shapes")
refuses(function(x) return op.matmul(x, tensor.zeros(3, 10000)) end, "at most 16384 numbers", "too much from outside")
local keep
lambda(function(x) keep = x:mean(); return x end)
refuses(function(x) return x + keep end, "another traced call", "a stand-in kept from another call")
fails(function() print(keep:item()) end, "cannot look at values", "it stays one")
ok(tostring(keep):find("traced"), "which says so")
local dense = nn.Dense(2)
refuses(function(x) return dense(x) end, "is a layer, and a traced function composes ops", "a layer inside")
fails(function() nn.Lambda() end, "wants function", "no function"); fails(function() nn.Lambda(3) end, "got the number 3", "a number for it", "arg")
fails(function() nn.Lambda(function(x) return x end, {units = 3}) end, 'no argument "units"', "an unknown argument")
fails(function() nn.TimeDistributed(nn.Lambda(function(x) return x end)) end, "has a function", "not in a wrapper")
fails(function() nn.Sequential{nn.Lambda(function(x) return x:item() end)}:predict(x) end, "lambda", "the message names the layer at the first data, too")

-- a function that is gone is given back
local weak = setmetatable({}, {__mode = "k"})
do local f = function(x) return x end; weak[f] = true; nn.Lambda(f) end
collectgarbage(); collectgarbage(); nn.Lambda(function(x) return x end); collectgarbage(); collectgarbage()
ok(next(weak) == nil, "nothing keeps the function of a layer that is gone")

tap.done()
