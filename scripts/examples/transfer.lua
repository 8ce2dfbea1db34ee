-- What was learnt on one task helps with another: features found on the digits 0 ... 4 serve for 5 ... 9.
-- hebb scripts/examples/transfer.lua [--quick] [FOLDER]       FOLDER holds mnist/ with its four IDX files
local example = dofile(hebb.resource("scripts/examples/common.lua"))

mnist = data.mnist(example.data("mnist", "train-images-idx3-ubyte.gz"))
all = example.pick(mnist, mnist:rows(1, 4000))
all_test = example.pick(mnist.test, mnist.test:rows(1, 1000))

-- The rows whose label lies in first ... first + 4; their labels count from 0 again.
local function five(set, first)
    local rows, labels = {}, set.y:totable()
    for i, label in ipairs(labels) do if label >= first and label < first + 5 then rows[#rows + 1] = i end end
    local part = set:take(rows)
    return {x = part.x, y = part.y - first}
end
low, low_test = five(all, 0), five(all_test, 0)
high, high_test = five(all, 5), five(all_test, 5)

-- Two parts: what finds features, and what names the class.
features = {
    nn.Rescaling(1/255, {input_shape = {28, 28, 1}}),
    nn.Conv2D(32, {3, 3}, {activation = "relu"}),
    nn.Conv2D(32, {3, 3}, {activation = "relu"}),
    nn.MaxPooling2D({2, 2}),
    nn.Dropout(0.25),
    nn.Flatten(),
}
model = nn.Sequential()
for _, layer in ipairs(features) do model:add(layer) end
model:add(nn.Dense(128, {activation = "relu"}))
model:add(nn.Dropout(0.5))
model:add(nn.Dense(5, {activation = "softmax"}))

local function train(part, test)
    model:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
    model:fit(part.x, part.y, {epochs = example.pick(5, 2), batch_size = 128})
    return model:evaluate(test.x, test.y).accuracy
end

first = train(low, low_test)

-- Frozen layers keep their weights; compile once more, so that the optimizer leaves them out.
model:freeze(features)
before = model:evaluate(high_test.x, high_test.y).accuracy
second = train(high, high_test)

print(("5 ... 9 before the second training: %s (guessing: about 20 %%)"):format(example.percent(before)))
example.report("accuracy on 0 ... 4, then on 5 ... 9:", example.percent(first) .. ", " .. example.percent(second),
               "99.8 %, 99.2 % after 5 epochs each (Keras, examples/mnist_transfer_cnn.py)")
