-- SPDX-License-Identifier: MIT
-- Images changed at random: against Keras where chance has no say, by their promises where it has, within fit and in a model.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails = tap.ok, tap.is, tap.near, tap.fails
local ref = dofile("tests/fixtures/augment/augment.lua")

local function worst(a, b) return tap.worst(a:reshape{-1}:totable(), b:reshape{-1}:totable()) end
local x = tensor(ref.x):reshape(ref.shape)
for _, case in ipairs(ref.cases) do
    local layer = load("return " .. case.make)()
    near(worst(nn.augment(x, layer), tensor(case.y):reshape(ref.shape)), 0, case.make .. " as Keras's", 2e-3)
end

-- each by itself
local picture = tensor.arange(24):reshape{1, 4, 3, 2}
local function rows(t) local out = {}; for i, v in ipairs(t:reshape{-1}:totable()) do out[i] = ("%g"):format(v) end; return table.concat(out, " ") end
local seen = {}
for step = 1, 60 do seen[rows(nn.augment(picture, nn.RandomFlip(), {seed = 1, step = step}))] = true end
local n = 0; for _ in pairs(seen) do n = n + 1 end
is(n, 4, "both flips, alone and together"); ok(seen[rows(picture)] and seen[rows(op.flip(picture, {1, 2}))] and seen[rows(op.flip(picture, 2))], "and they are flips")
for step = 1, 20 do
    local y = rows(nn.augment(picture, nn.RandomFlip("vertical"), {seed = 1, step = step}))
    if y ~= rows(picture) and y ~= rows(op.flip(picture, 1)) then ok(false, "a vertical flip turns rows alone") end
end
local flat = tensor.full({1, 6, 6, 1}, 100)
near(worst(nn.augment(flat, nn.RandomContrast(0.9), {seed = 2}), flat), 0, "no contrast in one colour", 1e-4)
local y = nn.augment(x, nn.RandomContrast(0.5), {seed = 2})
near(op.mean(y, {axis = {1, 2}}):reshape{-1}[1], op.mean(x, {axis = {1, 2}}):reshape{-1}[1], "contrast keeps a channel's mean", 6)
ok(worst(y, x) > 1, "and changes its spread"); ok(op.max(y):item() <= 255 and op.min(y):item() >= 0, "within the range")
local erased, whole = 0, tensor.ones(400, 10, 10, 1)
y = nn.augment(whole, nn.RandomErasing{fill_value = 0, scale = {0.25, 0.25}}, {seed = 3})
for i = 1, 400 do erased = erased + 1 - op.mean(y[i]):item() end
ok(erased / 400 > 0.12 and erased / 400 <= 0.25, ("a quarter at most is covered, less at the edge: %.3f"):format(erased / 400))
y = nn.augment(whole, nn.RandomErasing{factor = 0.5, fill_value = 0}, {seed = 3}); n = 0
for i = 1, 400 do if op.mean(y[i]):item() < 1 then n = n + 1 end end
near(n / 400, 0.5, "factor is the share of images that are covered", 0.08)
is(rows(nn.augment(x, nn.RandomRotation(0.2), {seed = 4})), rows(nn.augment(x, nn.RandomRotation(0.2), {seed = 4})), "the same seed, the same image")
ok(rows(nn.augment(x, nn.RandomRotation(0.2), {seed = 4})) ~= rows(nn.augment(x, nn.RandomRotation(0.2), {seed = 4, step = 1})), "another step, another image")
is(rows(nn.augment(x, nn.RandomRotation(0.2, {seed = 9}), {seed = 4})), rows(nn.augment(x, nn.RandomRotation(0.2, {seed = 9}), {seed = 5})), "a seed of its own")
ok(rows(nn.augment(whole:slice(1, 2), nn.RandomErasing(), {seed = 4})[1]) ~= rows(nn.augment(whole:slice(1, 2), nn.RandomErasing(), {seed = 4})[2]), "each image its own chance")

-- within fit
local digits = data.digits():rows(1, 300)
local layers = {nn.RandomTranslation(0.1, 0.1), nn.RandomRotation(0.05), nn.RandomErasing{scale = {0.02, 0.1}, value_range = {0, 16}}}
local function model()
    nn.reset_names()
    local m = nn.Sequential{nn.Rescaling(1/16, {input_shape = {8, 8, 1}}), nn.Flatten(), nn.Dense(10, {activation = "softmax"})}
    m:compile{optimizer = "sgd", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
    return m
end
local function fit(more)
    local m, o = model(), {epochs = 3, batch_size = 64, seed = 8, verbose = 0, augment = layers}
    for name, value in pairs(more or {}) do o[name] = value end
    local run = m:fit(digits.x, digits.y, o)
    return run.history, run, m
end
local plain, changed = fit{augment = {}}, fit()
ok(plain.loss[3] ~= changed.loss[3], "augment changes what is learnt"); is(fit().loss[3], changed.loss[3], "the same every time")
is(fit{shuffle = false}.loss[3], fit{shuffle = false}.loss[3], "without a shuffle too"); ok(fit{shuffle = false}.loss[2] ~= fit{shuffle = false}.loss[1], "another epoch, other images")
is(digits.x:to("float32"):reshape{-1}[30], data.digits().x:to("float32"):reshape{-1}[30], "the data stay as they are")
local float = model(); is(float:fit(digits.x:to("float32"), digits.y, {epochs = 3, batch_size = 64, seed = 8, verbose = 0, augment = layers}).history.loss[3], changed.loss[3], "bytes and floats alike")
local _, run, m = fit{epochs = 4}
local last, weights = run.history.loss[4], rows(m.layers[3].kernel)
run:rewind(2); run:resume(); run:wait()
is(run.history.loss[4], last, "after a rewind the same images come again"); is(rows(m.layers[3].kernel), weights, "and the same weights")
local branch; _, run = fit{epochs = 2}
branch = run:branch(); run.epochs = 3; run:wait(); branch.epochs = 3; branch:resume(); branch:wait()
is(branch.history.loss[3], run.history.loss[3], "a branch goes on with them")
local with, hot = model(), data.one_hot(digits.y)
with:compile{optimizer = "sgd", loss = "categorical_crossentropy"}
local mixed = with:fit(digits.x, hot, {epochs = 2, batch_size = 64, seed = 8, verbose = 0, shuffle = false, augment = {nn.RandomFlip(), nn.MixUp(1)}}).history.loss
ok(mixed[2] > 0 and rows(hot) == rows(data.one_hot(digits.y)), "MixUp mixes targets of the batch, not those of the data")
-- a mixed target keeps the sum of its parts: a model that always says 1 of 2 classes has the loss of the mean
local half = nn.Sequential{nn.Flatten{input_shape = {8, 8, 1}}, nn.Dense(10, {activation = "softmax", kernel_initializer = "zeros"})}
half:compile{optimizer = nn.SGD{learning_rate = 1e-12}, loss = "categorical_crossentropy"}
near(half:fit(digits.x, hot, {epochs = 1, verbose = 0, augment = nn.MixUp(1)}).history.loss[1], math.log(10), "one layer needs no list; rows of mixed targets sum to 1", 1e-4)

-- within a model
local inner = nn.Sequential{nn.RandomFlip("horizontal", {input_shape = {4, 3, 2}}), nn.RandomBrightness(0.2)}
is(rows(inner:predict(picture)), rows(picture), "nothing happens when nothing is trained")
local crop = nn.Sequential{nn.RandomCrop(2, 1, {input_shape = {4, 3, 2}})}
is(rows(crop:predict(picture)), rows(picture:slice(2, 3, {axis = 1}):slice(2, 2, {axis = 2})), "RandomCrop: the middle, when nothing is trained")
local learn = nn.Sequential{nn.RandomCrop(3, 3, {input_shape = {4, 4, 1}}), nn.RandomZoom(0.1), nn.Flatten(), nn.Dense(1)}
learn:compile{optimizer = "sgd", loss = "mse"}
ok(learn:fit(tensor.rand(32, 4, 4, 1), tensor.rand(32, 1), {epochs = 2, verbose = 0}).history.loss[2] > 0, "a model with them trains")

-- bad input
fails(function() fit{augment = nn.Dense(3)} end, "changes no images at random", "a layer of another kind", "arg")
fails(function() fit{augment = {nn.RandomFlip(), "flip"}} end, "number 2 is the text", "a text for a layer", "arg"); fails(function() fit{augment = 3} end, "layer", "a number")
fails(function() fit{augment = nn.RandomCrop(4, 4)} end, "in front of the model", "a crop changes the size", "arg")
fails(function() fit{augment = nn.RandomRotation({0.2, 0.1})} end, "{lower, upper}", "a pair the wrong way round", "arg")
fails(function() fit{augment = nn.RandomTranslation({0, 0.1, 0.2}, 0)} end, "one number or a pair", "three numbers", "arg")
fails(function() fit{augment = nn.RandomBrightness(0.1, {value_range = 255})} end, "value_range is a pair", "half a range", "arg")
fails(function() fit{augment = nn.MixUp()} end, "data.one_hot", "classes cannot be mixed", "arg")
fails(function() fit{augment = {nn.MixUp(), nn.MixUp()}} end, "mixed once", "two that mix", "arg")
fails(function() nn.RandomRotation(1.5) end, "factor", "more than a turn", "arg"); fails(function() nn.RandomFlip("sideways") end, "horizontal", "an unknown mode", "arg")
fails(function() nn.Sequential{nn.RandomFlip{input_shape = {5}}}:build() end, "wants images", "rows are no images"); fails(function() nn.Sequential{nn.RandomCrop(9, 2, {input_shape = {4, 4, 1}})}:build() end, "too small", "a crop larger than the image")
local late = nn.Sequential{nn.Conv2D(1, 1, {input_shape = {4, 4, 1}}), nn.RandomFlip(), nn.Flatten(), nn.Dense(1)}
late:compile{optimizer = "sgd", loss = "mse"}
fails(function() late:fit(tensor.rand(8, 4, 4, 1), tensor.rand(8, 1), {verbose = 0}) end, "put it first in the model", "behind a layer that learns")
local flatdata = nn.Sequential{nn.Dense(1, {input_shape = {3}})}; flatdata:compile{optimizer = "sgd", loss = "mse"}
fails(function() flatdata:fit(tensor.rand(8, 3), tensor.rand(8, 1), {verbose = 0, augment = nn.RandomFlip()}) end, "wants images", "data that are no images")
fails(function() nn.augment(x, nn.MixUp()) end, "within fit", "nn.augment shows one image at a time", "arg")
tap.done()
