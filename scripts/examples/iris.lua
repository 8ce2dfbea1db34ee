-- Iris: three kinds of flowers by four measures; Fisher's table of 1936.
-- hebb scripts/examples/iris.lua [--quick]
local example = dofile(hebb.resource("scripts/examples/common.lua"))

iris = data.iris()
train, test = iris:split{fraction = 0.2, stratified = true}     -- drawn by the session's seed, as many of each kind

-- Columns with mean 0 and deviation 1. The scale is the training part's: the test part must not be looked at.
x, scale = data.standardize(train.x)

model = nn.Sequential()
model:add(nn.Dense(4, {activation = "tanh", input_shape = {4}}))
model:add(nn.Dense(3, {activation = "softmax"}))
model:compile{optimizer = nn.Adam{learning_rate = 0.01}, loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
run = model:fit(x, train.y, {epochs = example.pick(300, 100), batch_size = 16, verbose = 0})

print(model:confusion(scale(test.x), test.y))
right = model:evaluate(scale(iris.x), iris.y).accuracy * #iris.x
print(("of all 150 flowers %.0f are named rightly"):format(right))
example.report("accuracy on the 30 flowers of the test part", example.percent(model:evaluate(scale(test.x), test.y).accuracy),
               "no figure (genann, example4.c: 4-4-3 units, prints how many of 150 are right)")
