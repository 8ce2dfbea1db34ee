-- Forecasting: the number of airline passengers of next month from those of the last twelve.
-- hebb scripts/examples/airline.lua [--quick] [FOLDER]       FOLDER holds series/airline_passengers.csv
local example = dofile(hebb.resource("scripts/examples/common.lua"))

file = example.data_or_made("series/airline_passengers.csv", "a made series with trend and season")
if file then
    series = data.csv(file, {target = "Passengers"}).y:reshape{-1}   -- thousands, January 1949 to December 1960
else
    series = {}
    for month = 1, 144 do series[month] = (100 + 2.5 * month) * (1 + 0.2 * math.sin(2 * math.pi * month / 12)) + 5 * math.random() end
    series = tensor(series)
end

-- Passengers grow by a share each year, and the summer's peak with them: a scale learnt in the early years is too small for the late
-- ones. What stays alike is the growth over the same month a year before, as a logarithm; that is what the network sees and foretells.
year, border = 12, 96                                          -- 1949 to 1956 teach, 1957 to 1960 judge; nothing is shuffled over the border
logs = op.log(series)
growth = logs:slice(year + 1, #logs) - logs:slice(1, #logs - year)     -- growth[i] belongs to month i + 12
known = growth:slice(1, border - year)
_, scale = data.standardize(known:reshape{-1, 1})              -- the scale is the training years' own
scaled = scale(growth:reshape{-1, 1})
x, y = data.windows(scaled:slice(1, border - year), {length = year, target = 1})
test_x = data.windows(scaled:slice(border - 2 * year + 1, #growth), {length = year, target = 1})
print(("%d windows to learn from, %d months to foretell"):format(#x, #test_x))

-- Back to passengers: so much more than a year before. The error is the root of the mean square.
was, before = series:slice(border + 1, #series), series:slice(border - year + 1, #series - year)
local function passengers(growths) return before * op.exp(growths:reshape{-1} * scale.size[1] + scale.offset[1]) end
local function rmse(forecast) return math.sqrt(op.mean((forecast - was) ^ 2):item()) end

local function train(layer)
    local model = nn.Sequential()
    model:add(layer(16, {input_shape = {year, 1}}))
    model:add(nn.Dense(1))
    model:compile{optimizer = nn.Adam{learning_rate = 0.003}, loss = "mse"}
    -- So few windows are soon learnt by heart: the last fifth of them, which is not learnt, says when to stop.
    local stop = nn.EarlyStopping{monitor = "val_loss", patience = 20, restore_best_weights = true}
    model:fit(x, y, {epochs = example.pick(300, 100), batch_size = 16, validation_split = 0.2, callbacks = stop, verbose = 0})
    return passengers(model:predict(test_x))
end
lstm, gru = train(nn.LSTM), train(nn.GRU)

for month = 1, year do print(("1957-%02d  was %3.0f, foretold %3.0f (LSTM), %3.0f (GRU)"):format(month, was[month], lstm[month], gru[month])) end

-- What a forecast must beat: that nothing changes since last month, since last year, and that the growth goes on.
print(("error of forecasts without learning: as last month %.1f, as last year %.1f, growth as last month %.1f"):format(
      rmse(series:slice(border, #series - 1)), rmse(before), rmse(passengers(test_x:slice(year, year, {axis = 1})))))
example.report("root mean squared error of next month, 1957 to 1960, thousands; LSTM, GRU:", ("%.1f, %.1f"):format(rmse(lstm), rmse(gru)),
               "47.5 for the last 47 months by an LSTM of 4 units that sees one month, scaled but not as growth (a tutorial of 2016, widely copied)")
