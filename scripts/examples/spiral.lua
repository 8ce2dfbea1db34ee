-- The spiral of CS231n: what one hidden layer can do that none cannot.
-- hebb scripts/examples/spiral.lua [--quick]
local example = dofile(hebb.resource("scripts/examples/common.lua"))

points = data.spiral(300, {classes = 3})                        -- three arms of a hundred points

-- The case study descends along the gradient of all points at once, rate 1.
local function train(layers, steps)
    local model = nn.Sequential(layers)
    model:compile{optimizer = nn.SGD{learning_rate = 1}, loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
    local run = model:fit(points.x, points.y, {epochs = steps, batch_size = 300, shuffle = false, verbose = 0})
    local scores = model:evaluate(points.x, points.y)
    print(("loss %.4f -> %.4f, %s of the points right"):format(run.history.loss[1], scores.loss, example.percent(scores.accuracy)))
    return model, scores
end

-- Without a hidden layer the borders between the classes are straight lines.
linear, straight = train({nn.Dense(3, {activation = "softmax", input_shape = {2}})}, 200)

-- A hundred units with ReLU bend them.
net, bent = train({nn.Dense(100, {activation = "relu", input_shape = {2}}), nn.Dense(3, {activation = "softmax"})}, example.pick(10000, 1500))

-- The plane as the network sees it.
grid = {}
for row = 1, 21 do for column = 1, 42 do grid[#grid + 1] = {(column - 21.5) / 21, (11 - row) / 10} end end
classes, cells = op.argmax(net:predict(grid)), {}
for i = 1, #grid do
    cells[#cells + 1] = (".o#"):sub(classes[i] + 1, classes[i] + 1)
    if i % 42 == 0 then cells[#cells + 1] = "\n" end
end
print(table.concat(cells))
example.report("accuracy, linear and with a hidden layer:", example.percent(straight.accuracy) .. ", " .. example.percent(bent.accuracy),
               "49 %, 98 %; losses 0.786 and 0.2453, which hold a penalty of 0.001 on the weights (CS231n, neural-networks-case-study)")
