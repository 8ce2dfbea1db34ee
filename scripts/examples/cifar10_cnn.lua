-- Small colour photographs with convolutions: CIFAR-10.
-- hebb scripts/examples/cifar10_cnn.lua [--quick] [FOLDER]       FOLDER holds cifar10/ with the binary batches
local example = dofile(hebb.resource("scripts/examples/common.lua"))

cifar = data.cifar10(example.data("cifar10", "batches.meta.txt"))
print(cifar.text)
train = example.pick(cifar, cifar:rows(1, 2000))

-- Each convolution looks for 3 x 3 patterns in what the one before it found; pooling keeps the strongest of 2 x 2 answers.
model = nn.Sequential()
model:add(nn.Rescaling(1/255, {input_shape = {32, 32, 3}}))
model:add(nn.Conv2D(32, {3, 3}, {activation = "relu"}))
model:add(nn.MaxPooling2D({2, 2}))
model:add(nn.Conv2D(64, {3, 3}, {activation = "relu"}))
model:add(nn.MaxPooling2D({2, 2}))
model:add(nn.Conv2D(64, {3, 3}, {activation = "relu"}))
model:add(nn.Flatten())
model:add(nn.Dense(64, {activation = "relu"}))
model:add(nn.Dense(10, {activation = "softmax"}))
model:summary()                                              -- 122,570 parameters

model:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
run = model:fit(train.x, train.y, {epochs = example.pick(10, 2), batch_size = 64, validation_split = 0.2})

-- The validation part was not trained on, and nothing was chosen by it: its accuracy is an honest estimate.
history = run.history
print(history)
example.report("accuracy on the validation fifth", example.percent(history.val_accuracy[#history.val_accuracy]),
               "above 70 % on the 10,000 test images, with all 50,000 to learn from (TensorFlow tutorial images/cnn)")
