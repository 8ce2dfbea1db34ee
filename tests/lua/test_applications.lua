-- SPDX-License-Identifier: MIT
-- Ready architectures: published parameter counts, and each in a small size forwards, backwards, saved and loaded.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails, shape = tap.ok, tap.is, tap.near, tap.fails, tap.shape
local apps = nn.applications

-- Published counts, of all parameters or (PyTorch's way) of those that are trained. Models are dropped at once; the largest hold 550 MB and
-- are made only when HEBB_LARGE is set.
local function count(name, want, trained)
    for i, model in ipairs{apps[name]()} do
        local all, some = model:count_params()
        is(trained and some or all, want[i], name .. (i > 1 and ", the second" or ""))
    end
    collectgarbage() collectgarbage()
end
count("LeNet5", {61706}); count("ResNet20", {272282}, true); count("MobileNet", {4253864}); count("GoogLeNet", {6998552})
count("DCGAN", {3576704, 2765568}, true); count("ResNet50", {25636712})
if os.getenv("HEBB_LARGE") then count("VGG16", {138357544}); count("GPT", {124439808}); count("BERT", {109482240}) end

-- small ones that do a step
local function trains(model, x, y, loss)
    model:compile{optimizer = "adam", loss = loss}
    local losses = model:fit(x, y, {epochs = 8, batch_size = 8, verbose = 0, shuffle = false}).history.loss
    local least = math.huge
    for i = 2, #losses do least = math.min(least, losses[i]) end
    ok(least < losses[1], model.name .. " learns eight samples")
end
local labels = tensor({0, 1, 2, 3, 4, 5, 6, 7}, {dtype = "int32"})
local small = tensor.rand(8, 32, 32, 3, {seed = 1})
trains(apps.LeNet5{input_shape = {28, 28, 1}}, tensor.rand(8, 28, 28, 1, {seed = 2}), labels, "sparse_categorical_crossentropy")
trains(apps.VGG16{input_shape = {32, 32, 3}, classes = 10, width = 8, dense = 64, blocks = 3}, small, labels, "sparse_categorical_crossentropy")
trains(apps.ResNet20{width = 4, depth = 1}, small, labels, "sparse_categorical_crossentropy")
trains(apps.ResNet50{input_shape = {32, 32, 3}, classes = 10, width = 2}, small, labels, "sparse_categorical_crossentropy")
trains(apps.GoogLeNet{input_shape = {64, 64, 3}, classes = 10, share = 1/16, dropout = 0}, tensor.rand(8, 64, 64, 3, {seed = 3}), labels, "sparse_categorical_crossentropy")
trains(apps.MobileNet{input_shape = {32, 32, 3}, classes = 10, alpha = 0.125}, small, labels, "sparse_categorical_crossentropy")
trains(apps.UNet{input_shape = {32, 32, 3}, width = 4, depth = 2}, small, tensor.ones(8, 32, 32, 1), "binary_crossentropy")

-- language models
local tokens = tensor.rand(8, 6, {high = 9, seed = 4}):to("int32")
local gpt = apps.GPT{vocabulary = 9, length = 6, layers = 2, heads = 2, width = 8, dropout = 0}
shape(gpt:predict(tokens), "(8, 6, 9)", "GPT gives logits")
local file = os.tmpname() .. ".safetensors"
gpt:save(file)
tap.same(nn.load(file):predict(tokens), gpt:predict(tokens), "saved and loaded, the shared table too")
gpt:compile{optimizer = "adam", loss = nn.SparseCategoricalCrossentropy{from_logits = true}}
local before = gpt:evaluate(tokens, tokens).loss
gpt:fit(tokens, tokens, {epochs = 8, batch_size = 8, verbose = 0})
ok(gpt:evaluate(tokens, tokens).loss < before, "and learns")
local changed = tokens:copy(); changed[1][6] = (changed[1][6] + 1) % 9
local a, b = gpt:predict(tokens), gpt:predict(changed)
ok(a[1][5] == b[1][5] and not (a[1][6] == b[1][6]), "no step sees what comes after it")
local bert = apps.BERT{vocabulary = 9, length = 6, layers = 1, heads = 2, width = 8, dropout = 0}
local sequence, pooled = bert(tokens, tensor.zeros(8, 6, {dtype = "int32"}))
shape(sequence, "(8, 6, 8)", "BERT gives a sequence"); shape(pooled, "(8, 8)", "and a pooled vector")

-- a pair that fits
local generator, discriminator = apps.DCGAN{size = 16, channels = 1, latent = 8, width = 4}
local images = generator:predict(tensor.randn(4, 8, {seed = 5}))
shape(images, "(4, 16, 16, 1)", "DCGAN makes images"); shape(discriminator:predict(images), "(4, 1)", "and judges them")

fails(function() apps.VGG16{clases = 3} end, 'no argument "clases" (did you mean "classes"?)', "a mistyped option", "arg")
fails(function() apps.VGG16{colour = 3} end, "it takes blocks, classes, dense, input_shape, width", "an unknown option"); fails(function() apps.VGG16{width = 2.5} end, "width must be a whole number", "half a channel")
fails(function() apps.UNet{depth = 64} end, "must be multiples of", "more halves than bits"); fails(function() apps.LeNet5{input_shape = {32, 32}} end, "must be 3 whole numbers", "a shape without channels")
ok(apps.LeNet5{classes = 3.0}.output_shape[1] == 3, "a whole float is a count")
fails(function() apps.DCGAN{size = 20} end, "16, 32 or 64", "a size that does not halve")
fails(function() apps.UNet{input_shape = {30, 30, 1}} end, "multiples of 16", "an image that does not halve")
os.remove(file)
tap.done()
