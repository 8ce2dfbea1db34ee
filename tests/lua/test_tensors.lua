-- SPDX-License-Identifier: MIT
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails, shape = tap.ok, tap.is, tap.near, tap.fails, tap.shape

-- making
local t = tensor{{1, 2}, {3, 4}}
shape(t, "(2, 2)", "a table of rows")
is(t.dtype, "float32", "float32 by default")
is(t.size, 4, "size"); is(#t, 2, "length is the first axis"); is(t.rank, 2, "rank")
is(tensor(5):item(), 5, "a number"); shape(tensor(5), "()", "has no axes")
is(#tensor{}, 0, "an empty table is an empty tensor")
is(tensor{true, false}[1], 1, "true is 1")
is(tensor({1, 2}, "int32").dtype, "int32", "type by place")
is(tensor({1, 2}, {dtype = "uint8"}).dtype, "uint8", "type by name")
shape(tensor{tensor{1, 2}, tensor{3, 4}}, "(2, 2)", "tensors in a list are stacked")
shape(tensor.zeros(2, 3), "(2, 3)", "zeros by numbers"); shape(tensor.zeros{2, 3}, "(2, 3)", "zeros by a table")
shape(tensor.zeros(t.shape), "(2, 2)", "a shape is a shape")
is(tensor.ones(2, {dtype = "int32"})[2], 1, "ones of integers")
is(tensor.full({2}, 7)[2], 7, "full")
is(tensor.arange(3)[3], 2, "arange leaves the stop out"); is(#tensor.arange(0, 1, 0.25), 4, "arange by a broken step")
near(tensor.linspace(0, 1, 3)[2], 0.5, "linspace"); is(tensor.eye(3)[2][2], 1, "eye")
is(tensor.rand(4, {seed = 3})[2], tensor.rand(4, {seed = 3})[2], "rand repeats with a seed")
ok(tensor.rand(4)[1] ~= tensor.rand(4)[1], "rand differs from call to call")
near(tensor.randn(20000, {seed = 1}):mean():item(), 0, "randn has mean 0", 0.05)

-- looking
is(t[1][2], 2, "t[1][2]"); is(t[2]:totable()[1], 3, "a row is a tensor")
is(tensor({7, 8}, "int32")[1], 7, "integers come as integers"); is(math.type(tensor({7}, "int32")[1]), "integer", "of Lua's type")
is(t:totable()[2][2], 4, "totable")
fails(function() return t[0] end, "counting starts at 1", "t[0] is refused", "arg")
fails(function() return t[3] end, "from 1 to 2", "beyond the end"); fails(function() return t[-1] end, "from 1 to 2", "negative")
fails(function() return t[1.5] end, "from 1 to 2", "between elements"); fails(function() return tensor(1)[1] end, "no elements", "no axes, no index")
fails(function() return t:item() end, "one element", "item of several")
fails(function() return t.shap end, 'did you mean "shape"', "a mistyped field", "name")
fails(function() return t:matmull(t) end, 'did you mean "matmul"', "a mistyped method")
shape(t:slice(1, 1), "(1, 2)", "slice includes its end"); is(tensor{1, 2, 3}:slice(2)[1], 2, "slice to the end")
is(tensor{1, 2, 3}:slice(-1)[1], 3, "slice from the end"); is(t:slice(2, 2, 1)[1][1], 2, "slice of axis 1")
fails(function() t:slice(0, 1) end, "not within 1 to 2", "slice of row 0"); fails(function() t:slice(1, 2, 5) end, "axis", "slice of axis 5")

-- writing
local w = tensor{{1, 2}, {3, 4}}
w[1][2] = 9; is(w[1][2], 9, "a row is a view"); w[2] = {5, 6}; is(w[2][1], 5, "a row from a table"); w[1] = 0; is(w[1][2], 0, "a row from a number")
fails(function() w[1] = {1, 2, 3} end, "shape (2)", "a row of another shape"); fails(function() w[3] = 1 end, "1 to 2", "beyond the end")
fails(function() tensor({1}, "uint8")[1] = 256 end, "0 to 255", "too large for a byte"); fails(function() tensor({1}, "int32")[1] = 0.5 end, "whole", "no whole number")
fails(function() w.shape = 1 end, "only be read", "fields are read only"); fails(function() w.nme = 1 end, "no field", "unknown fields are refused")
w:assign({{1, 1}, {1, 1}}); is(w[2][2], 1, "assign"); fails(function() w:assign{1} end, "shape", "assign of another shape")

-- arithmetic
is((t + 1)[1][1], 2, "+ number"); is((1 + t)[2][2], 5, "number +"); is((t - t)[1][1], 0, "-"); is((t * {10, 100})[1][2], 200, "* broadcasts a table")
is((t / 2)[1][1], 0.5, "/"); is((2 / t)[2][2], 0.5, "number /"); is((t ^ 2)[2][2], 16, "^"); is((-t)[1][1], -1, "unary -")
is((tensor{{1}, {2}} + tensor{10, 20})[2][1], 12, "broadcasting")
is((tensor({2}, "int32") * 0.5)[1], 1, "integers turn to floats in arithmetic"); is((tensor({255}, "uint8") / 255)[1], 1, "bytes too")
is(t:sum():item(), 10, "sum"); is(t:sum(0)[1], 4, "sum over axis 0"); is(t:mean{axis = -1}[2], 3.5, "mean over the last axis")
is(op.relu{-1, 2}[1], 0, "an op as a function"); is(t:matmul(t)[1][1], 7, "matmul"); shape(t:reshape{4}, "(4)", "reshape"); is(t:transpose()[1][2], 3, "transpose")
is(op.concat({1, 2}, {3})[3], 3, "concat of tables"); is(#op.concat({tensor{1}, tensor{2}}, {axis = 0}), 2, "concat of a list")
is(op.gather({10, 20, 30}, {2, 0})[1], 30, "gather counts from 0, indices from a table")
near(op.softmax({1, 1})[1], 0.5, "softmax")
ok(tensor{1, 2} == tensor{1, 2}, "== compares values"); ok(tensor{1, 2} ~= tensor{1, 3}, "~="); ok(tensor(1) < tensor(2), "<"); ok(tensor(1) <= 1, "<= number")
fails(function() return t < t end, "neither true nor false", "< of many elements")
fails(function() return t + tensor{1, 2, 3} end, "(2, 2)", "shapes that do not broadcast", "shape")
fails(function() return t:matmul(tensor{1, 2, 3}) end, "matmul", "matmul of shapes that do not fit", "shape")
fails(function() return t + "x" end, "the text \"x\"", "+ text"); fails(function() return op.add(t) end, "input 2", "an input is missing")
fails(function() return t:sum(7) end, "axis", "an axis that is not there"); fails(function() return t:sum{axs = 1} end, 'did you mean "axis"', "a mistyped argument")
fails(function() return t:reshape{3} end, "do not fill", "reshape of another size")

-- refusals of tensor{}
fails(function() tensor{{1, 2}, {3}} end, "equally long", "ragged rows"); fails(function() tensor{1, {2}} end, "wants numbers", "numbers beside rows")
fails(function() tensor{1, "a"} end, 'the text "a"', "text among numbers"); fails(function() tensor{x = 1} end, "table with names", "named values")
fails(function() tensor() end, "wants values", "nothing"); fails(function() tensor("x") end, "numbers", "text")
fails(function() tensor({1.5}, "int32") end, "whole numbers", "broken integers"); fails(function() tensor({1}, {dtyp = "int32"}) end, 'did you mean "dtype"', "mistyped option")
fails(function() tensor({1}, {dtype = "int3"}) end, 'did you mean "int32"', "mistyped type"); fails(function() tensor.zeros(-1) end, "tensor.zeros", "negative size")
fails(function() tensor.zeros(1, 2, 3, 4, 5, 6, 7, 8, 9) end, "at most 8", "nine axes"); fails(function() tensor.zeros(1e9, 1e9) end, "tensor.zeros", "more than memory")
fails(function() tensor.arange(0, 1, 0) end, "never ends", "a step of zero")
local deep = {}; deep[1] = deep
fails(function() tensor(deep) end, "nested deeper", "a table in itself")

-- printing
ok(tostring(t):find("tensor float32 (2, 2)", 1, true), "prints type and shape"); is(tostring(t.shape), "(2, 2)", "a shape prints")
ok(#tostring(tensor.zeros(1000, 1000)) < 20000, "large tensors print head and tail")

-- files
local dir = os.tmpname(); os.remove(dir)
for _, ending in ipairs{".npy", ".npz", ".csv", ".safetensors"} do
    local name = dir .. ending
    t:save(name)
    ok(tensor.load(name) == t, "saved and loaded as " .. ending)
    os.remove(name)
end
tensor.save(dir .. ".npz", {a = t, b = tensor{1}})
is(tensor.load(dir .. ".npz").b[1], 1, "several tensors in one file"); os.remove(dir .. ".npz")
fails(function() t:save(dir .. ".xyz") end, "the ending", "an unknown ending"); fails(function() tensor.load("/no/such.npy") end, "/no/such.npy", "no file", "io")
fails(function() t:save("/no/such/place.npy") end, "/no/such", "no folder", "io"); fails(function() tensor.load(3) end, "file name", "no name")

-- memory: garbage tensors are collected while they are made
for i = 1, 3000 do local big = tensor.zeros(256, 256) end
ok(hebb.memory().bytes < 200e6, "a loop of tensors does not fill memory")
tap.done()
