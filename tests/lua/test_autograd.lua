-- SPDX-License-Identifier: MIT
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails, shape = tap.ok, tap.is, tap.near, tap.fails, tap.shape

local w = tensor({2, 3}, {requires_grad = true})
is(w.grad, nil, "no gradient at first")
local y = (w * w):sum()
y:backward()
is(w.grad[1], 4, "d(w*w) = 2w"); is(w.grad[2], 6, "for each element")
y:backward()
is(w.grad[1], 8, "gradients add up"); w:zero_grad(); is(w.grad, nil, "zero_grad")
;((w ^ 3):sum()):backward(); is(w.grad[1], 12, "power")
w:zero_grad(); (w:slice(2, 2) * 5):sum():backward(); is(w.grad[1], 0, "slice: nothing outside"); is(w.grad[2], 5, "slice: inside")
local m = tensor({{1, 2}, {3, 4}}, {requires_grad = true}); (m[2] * tensor{1, 10}):sum():backward(); is(m.grad[2][2], 10, "a row of a graph")
is(m.grad[1][1], 0, "other rows have none")

local x = tensor{{1, 2}, {3, 4}, {5, 6}}
local k = tensor({{1}, {1}}, {requires_grad = true})
local out = x:matmul(k):relu(); out:sum():backward()
is(k.grad[1][1], 9, "matmul and relu"); is(x.grad, nil, "inputs collect nothing")
y = tensor({1, 2}, {requires_grad = true}) * 2; y:backward({1, 10}); ok(true, "backward with a gradient from outside")
fails(function() y:backward() end, "single number", "backward from several numbers", "shape")
fails(function() tensor{1}:backward() end, "requires", "backward without a graph", "state")
fails(function() tensor({1}, {dtype = "int32", requires_grad = true}) end, "float32", "integers have no gradient")
fails(function() y.requires_grad = true end, "came out of an op", "results are no leaves")
local d = y:detach(); ok(not d.requires_grad, "detach")
fails(function() w[1] = 0 end, "not written in place", "a leaf is not written in place", "state")
local leaf = tensor{1, 2}; leaf.requires_grad = true; (leaf * 3):sum():backward(); is(leaf.grad[1], 3, "requires_grad set later")

-- inputs that a graph still needs are not written
local input = tensor{1, 2}
local held = (input * w):sum()
fails(function() input[1] = 5 end, "graph", "an input of a live graph is not written in place", "state")
held:backward(); held = nil; collectgarbage(); collectgarbage()
input[1] = 5; is(input[1], 5, "it is free when the graph is gone")

-- gradient descent by hand
local xs, ys = tensor{{0}, {1}, {2}, {3}}, tensor{{1}, {3}, {5}, {7}}
local a, b = tensor({{0}}, {requires_grad = true}), tensor({0}, {requires_grad = true})
for i = 1, 400 do
    local loss = ((xs:matmul(a) + b - ys) ^ 2):mean()
    loss:backward()
    a:assign(a - 0.1 * a.grad); b:assign(b - 0.1 * b.grad)
end
near(a[1][1], 2, "slope found by hand", 1e-2); near(b[1], 1, "offset found by hand", 2e-2)
is(a.grad, nil, "assign starts without a gradient"); ok(a.requires_grad, "and stays a leaf")

-- a long chain is freed and differentiated without recursion
local c = tensor({1}, {requires_grad = true}); local long = c
for i = 1, 20000 do long = long + 0.5 end
long:sum():backward(); is(c.grad[1], 1, "a chain of 20000 ops")
-- losses on tensors: targets first, gradients through
do
  local p = tensor({{0.5, 3}, {-1, 0}}, {requires_grad = true})
  local l = nn.losses.Huber{delta = 1}({{0, 0}, {0, 0}}, p)
  near(l:item(), (0.125 + 2.5 + 0.5) / 4, "Huber"); l:backward(); near(p.grad[1][1], 0.125, "its gradient within delta"); near(p.grad[1][2], 0.25, "and beyond")
  near(nn.losses.MeanSquaredError()({{1}, {1}}, {{0}, {2}}, {1, 3}):item(), 2, "weights of samples"); near(nn.losses.Dice()({{1, 0}}, {{1, 0}}):item(), 0, "dice of equal masks")
  near(nn.losses.SparseCategoricalCrossentropy{from_logits = true, ignore_class = 9}({0, 9}, {{0, 0}, {5, 0}}):item(), math.log(2), "an ignored class")
  fails(function() nn.losses.Huber()({{1}}) end, "y_true, y_pred", "a loss without predictions"); fails(function() nn.losses.Huber()({{1, 2}}, {{1}, {2}, {3}}) end, "huber", "shapes that do not fit")
  fails(function() nn.losses.Huber{delta = 0} end, "delta", "a delta of 0"); fails(function() nn.optimizers.Adam()(1) end, "cannot be called", "an optimizer called")
  is(nn.losses.Huber{delta = 2}.delta, 2, "arguments"); is(nn.metrics.MeanSquaredError == nn.losses.MeanSquaredError, false, "losses and metrics of one name")
end
tap.done()
