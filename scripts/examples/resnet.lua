-- A residual network: each block adds what it has found to its input, so that twenty layers train as easily as a few.
-- hebb scripts/examples/resnet.lua [--quick] [FOLDER]       FOLDER holds cifar10/ with the binary batches
local example = dofile(hebb.resource("scripts/examples/common.lua"))

cifar = data.cifar10(example.data("cifar10", "batches.meta.txt"))
print(cifar.text)
train, val = cifar:split{fraction = 0.1}                         -- 5,000 images, drawn, are for validation
train, val = example.pick(train, train:rows(1, 1500)), example.pick(val, val:rows(1, 500))

-- Three groups of blocks with 16, 32 and 64 channels, two convolutions a block: ResNet-20. With --quick one narrow block a group.
net = nn.applications.ResNet20{input_shape = {32, 32, 3}, classes = 10, depth = example.pick(3, 1), width = example.pick(16, 8)}
model = nn.Sequential()
model:add(nn.Rescaling(1/127.5, {offset = -1, input_shape = {32, 32, 3}}))
model:add(net)
print(model:count_params() .. " parameters")                    -- 273,658, of which 272,282 are trained

-- The rate rises for two epochs and falls along a cosine.
epochs, batch = example.pick(200, 5), example.pick(128, 25)
steps = math.ceil(#train / batch) * epochs
rate = nn.CosineDecay(0, steps * 99 // 100, {warmup_target = 0.1, warmup_steps = steps // 100 + 1})
model:compile{optimizer = nn.SGD{learning_rate = rate, momentum = 0.9, nesterov = true, weight_decay = 0.0001},
              loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}

-- No image comes twice alike: mirrored or not, and shifted by up to four pixels. It is made on another thread while the batch
-- before it trains.
run = model:fit(train.x, train.y, {epochs = epochs, batch_size = batch, validation_data = val,
                                   augment = {nn.RandomFlip("horizontal"), nn.RandomTranslation(0.125, 0.125, {fill_mode = "constant"})}})

-- Nothing was chosen by the validation part, so its accuracy is an honest estimate.
history = run.history
example.report("accuracy on the validation tenth", example.percent(history.val_accuracy[#history.val_accuracy]),
               "91.25 % in the paper (He et al. 2016), 92.16 % in Keras's examples/cifar10_resnet.py, on the 10,000 test images, 200 epochs")
