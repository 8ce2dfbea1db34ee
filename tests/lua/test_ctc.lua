-- SPDX-License-Identifier: MIT
-- Sequences without alignment: a small network learns to say what noisy frames hold, at its own pace.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails = tap.ok, tap.is, tap.near, tap.fails

-- One label: it, then blanks; blanks, then it; or it twice. Three of the four paths of equal chance.
near(op.ctc_loss({{{0, 0}, {0, 0}}}, tensor({{1}}, "int32")):item(), -math.log(3 / 4), "two steps, one label")
near(op.ctc_loss({{{0, 0}, {0, 0}}}, tensor({{0}}, "int32")):item(), -math.log(1 / 4), "no label: all blank")
is(op.ctc_loss({{{0, 0}, {0, 0}}}, tensor({{1, 1}}, "int32")):item(), math.huge, "too few steps for two alike")
do
  local x = tensor({{{0, 0}, {0, 0}}}, {requires_grad = true})
  op.ctc_loss(x, tensor({{1, 1}}, "int32")):sum():backward()
  is(x.grad:abs():sum():item(), 0, "which leave no gradient")
end

-- Frames of two to three steps a label, between them silence of zero to two; the labels are padded with 0.
local steps, classes, n = 16, 5, 200
local made, frames, targets = 0, {}, {}
local function chance(k) made = (made * 1103515245 + 12345) % 2147483648; return made // 65536 % k end
for i = 1, n do
  local row, said = {}, {}
  local function step(class)
    local frame = {}
    for c = 1, classes do frame[c] = (c == class + 1 and 1 or 0) + (chance(100) - 50) / 200 end
    row[#row + 1] = frame
  end
  while #row < steps - 4 do
    local label = 1 + chance(classes - 1)
    said[#said + 1] = label
    for _ = 1, 2 + chance(2) do step(label) end
    for _ = 1, 1 + chance(2) do if #row < steps then step(0) end end
  end
  while #row < steps do step(0) end
  for _ = #said + 1, 6 do said[#said + 1] = 0 end
  frames[i], targets[i] = row, said
end
local x, y = tensor(frames), tensor(targets, "int32")
local m = nn.Sequential{nn.Dense(classes, {input_shape = {steps, classes}})}
m:compile{optimizer = nn.Adam(0.05), loss = "ctc"}
local before = m:evaluate(x, y).loss
local run = m:fit(x, y, {epochs = 30, batch_size = 20, verbose = 0, wait = true, autosave = false})
ok(run.history.loss[30] < before / 20, "it learns: " .. run.history.loss[30] .. " after " .. before)
local right = 0
for i, said in ipairs(nn.ctc_decode(m:predict(x))) do
  local want = table.concat(targets[i], " "):gsub(" 0", "")
  right = right + (table.concat(said, " ") == want and 1 or 0)
end
ok(right >= 0.9 * n, "and says the labels of " .. right .. " of " .. n)
local words = nn.Sequential{nn.Dense(classes, "softmax", {input_shape = {steps, classes}})}
words:compile{optimizer = "adam", loss = "ctc"}
words.layers[1].kernel, words.layers[1].bias = m.layers[1].kernel, m.layers[1].bias
near(words:evaluate(x, y).loss, m:evaluate(x, y).loss, "behind a softmax: of its logits", 1e-4)

-- bad input
fails(function() m:fit(x, tensor(targets, "int32"):reshape{n, 6, 1}) end, "padded with 0", "targets without a second axis")
fails(function() m:fit(x, tensor.full({n, 6}, 9, {dtype = "int32"})) end, "outside 0", "a label that is no class")
fails(function() m:fit(x, tensor.full({n, 9}, 1, {dtype = "int32"})) end, "take 17 steps", "labels that need more steps than there are")
fails(function() m:compile{optimizer = "adam", loss = "ctc", metrics = {"accuracy"}} end, "nn.ctc_decode", "a metric that compares steps")
local flat = nn.Sequential{nn.Dense(3, {input_shape = {2}})}
flat:compile{optimizer = "adam", loss = "ctc"}
fails(function() flat:fit({{1, 2}}, {{1}}) end, "time", "a model without steps")
fails(function() nn.ctc_decode{1, 2} end, "batch, time, classes", "nothing to decode")
tap.done()
