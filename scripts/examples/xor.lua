-- Exclusive or: the smallest problem that a single layer cannot solve, since no straight line parts its classes.
-- hebb scripts/examples/xor.lua [--quick]
local example = dofile(hebb.resource("scripts/examples/common.lua"))

x = tensor{{0, 0}, {0, 1}, {1, 0}, {1, 1}}
y = tensor{{0}, {1}, {1}, {0}}

-- Two inputs, four hidden units, one probability.
local function train()
    model = nn.Sequential()
    model:add(nn.Dense(4, {activation = "relu", input_shape = {2}}))
    model:add(nn.Dense(1, {activation = "sigmoid"}))
    model:compile{optimizer = nn.Adam{learning_rate = 0.01}, loss = "binary_crossentropy", metrics = {"accuracy"}}
    run = model:fit(x, y, {epochs = 1500, batch_size = 4, verbose = 0})
    return run.history.loss[1500]
end

-- A network so small can be caught where hidden units are silent for all four points: no gradient leads out of there. Other first
-- weights are the remedy, and how many were needed belongs to the result.
attempts = 0
repeat
    attempts = attempts + 1
    loss = train()
    print(("attempt %d: loss %.4f after 1500 epochs"):format(attempts, loss))
until loss < 0.1 or attempts == 10

answer, bits = model:predict(x), {}
for i = 1, 4 do
    bits[i] = answer[i][1] > 0.5 and 1 or 0
    print(("%d xor %d = %.4f"):format(x[i][1], x[i][2], answer[i][1]))
end
example.report("rounds to", table.concat(bits, ",") .. (" at attempt %d"):format(attempts), "rounds to 0,1,1,0; try again if it does not converge (genann, example1.c: 2-2-1 sigmoid)")
