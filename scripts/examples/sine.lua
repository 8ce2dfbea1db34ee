-- Sine waves: a recurrent network learns what comes next, then goes on from its own forecasts.
-- hebb scripts/examples/sine.lua [--quick]
local example = dofile(hebb.resource("scripts/examples/common.lua"))

-- Waves with a period of 2 pi * 20 steps that begin where chance wants them to, as in PyTorch's time_sequence_prediction.
T, waves, steps = 20, example.pick(100, 30), 1000
starts = tensor.rand({waves, 1}, {low = -4 * T, high = 4 * T})
all = op.sin((tensor.arange(steps) + starts) / T)

-- At each step of a piece of 100 the target is the next point of the wave.
length = 100
pieces = all:reshape{waves * steps // length, length, 1}
x, y = pieces:slice(1, length - 1, {axis = 1}), pieces:slice(2, length, {axis = 1})

model = nn.Sequential()
model:add(nn.LSTM(51, {return_sequences = true, input_shape = {length - 1, 1}}))
model:add(nn.LSTM(51, {return_sequences = true}))
model:add(nn.Dense(1))
model:compile{optimizer = nn.Adam{learning_rate = nn.CosineDecay(0.01, example.pick(1280, 200))}, loss = "mse"}
run = model:fit(x, y, {epochs = example.pick(40, 20), batch_size = example.pick(32, 30), validation_split = 0.03, verbose = 0})
print(("mean squared error of the next step: %.1e in training, %.1e on waves that it never saw"):format(run.history.loss[run.epoch], run.history.val_loss[run.epoch]))

-- A new wave: 99 points are given, the next 250 (two periods) are forecasts, each made from those before it.
ahead = 250
wave = op.sin(tensor.arange(length + ahead) / T + 1):totable()
seen = {table.unpack(wave, 1, length - 1)}
for step = 1, ahead do
    local window = tensor({table.unpack(seen, step)}):reshape{1, length - 1, 1}
    seen[#seen + 1] = model:predict(window)[1][length - 1][1]
end

-- The wave as it is (.) and as it is foretold (*), sideways.
local function place(value) return math.max(1, math.min(61, math.floor(31.5 + 29 * value))) end
for i = length - 9, length + ahead - 1, 9 do
    local row, true_at, at = {}, place(wave[i]), place(seen[i])
    for column = 1, 61 do row[column] = column == at and (i < length and "+" or "*") or column == true_at and "." or " " end
    print(table.concat(row))
end

sum = 0
for i = length, length + ahead - 1 do sum = sum + (seen[i] - wave[i]) ^ 2 end
example.report("root mean squared error over two periods of its own forecasts (the wave itself: 0.71)", ("%.3f"):format(math.sqrt(sum / ahead)),
               "a picture only, no figure (pytorch/examples, time_sequence_prediction: L-BFGS, 15 steps)")
