-- SPDX-License-Identifier: MIT
-- data.csv does what its options say.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails = tap.ok, tap.is, tap.near, tap.fails
local path = os.tmpname() .. ".csv"
local function write(text) local file <close> = io.open(path, "w"); file:write(text) end
write("size,colour,y\n1,red,0\n,blue,1\n3,red,0\n")
fails(function() data.csv(path, {target = "y"}) end, "", "a missing cell is refused unless something else is said")
is(#data.csv(path, {target = "y", missing = "drop"}).y, 2, "missing = drop leaves the row out")
local d = data.csv(path, {target = "y", missing = "mean"})
is(#d.y, 3, "missing = mean keeps it"); near(d.x[2][1], 2, "with the column's mean", 1e-6)
ok(data.csv(path, {target = "y", missing = "keep"}).x[2][1] ~= data.csv(path, {target = "y", missing = "keep"}).x[2][1], "missing = keep leaves NaN")
is(d.x.shape[2], 3, "text = one_hot: a column for each value"); is(data.csv(path, {target = "y", missing = "drop", text = "number"}).x.shape[2], 2, "text = number: one column")
write("1,2\n3,4\n")
is(#data.csv(path, {header = "no", target = "2"}).x, 2, "header = no"); is(#data.csv(path, {header = "yes", target = "2"}).x, 1, "header = yes takes the first line for names")
write("a,b,c,y\n1,2,red,0\n3,,blue,1\n1,2,red,0\n5,8,,1\n3,,blue,1\n7,100,red,0\n")
local function column(o, c) o.target = "y"; local out = {}; for i, row in ipairs(data.csv(path, o).x:totable()) do out[i] = ("%g"):format(row[c]) end; return table.concat(out, " ") end
is(column({missing = "median"}, 2), "2 5 2 8 5 100", "missing = median"); is(column({missing = "constant", fill_value = -1}, 2), "2 -1 2 8 -1 100", "missing = constant")
is(column({missing = "mean", duplicates = "drop"}, 1), "1 3 5 7", "duplicates = drop keeps the first of equal rows, in order"); is(column({missing = "drop", duplicates = "drop"}, 2), "2 100", "after those that lack a value")
ok(data.csv(path, {missing = "drop", duplicates = "drop"}).text:find("4 of 6 rows were dropped: 3 lack a value, 1 stand there twice", 1, true), "and says what was dropped")
fails(function() data.csv(path, {duplicates = "merge"}) end, "duplicates", "an unknown way", "arg"); fails(function() data.csv(path) end, '"median"', "the refusal of gaps names the ways")
os.remove(path)

-- learnt from some rows, applied to others
local nan = 0 / 0
local function cells(x) local out = {}; for i, v in ipairs(x:reshape{-1}:totable()) do out[i] = ("%g"):format(v) end; return table.concat(out, " ") end
local x, fill = data.impute({{1, 10}, {nan, 20}, {4, nan}, {10, 60}})
is(cells(x), "1 10 5 20 4 30 10 60", "impute: the mean"); is(cells(fill{{nan, nan}}), "5 30", "and others are filled with the training rows' own")
x, fill = data.impute({{1}, {nan}, {4}, {10}}, {strategy = "median"}); is(cells(x), "1 4 4 10", "the median"); x = data.impute({{nan}}, {strategy = "constant", fill_value = 7}); is(cells(x), "7", "a constant")
local clip; x, clip = data.clip_outliers({{1}, {2}, {3}, {4}, {100}}); is(cells(x), "1 2 3 4 7", "outliers become the limit"); is(cells(clip{{-50}, {5}}), "-1 5", "with the same limits for others")
fails(function() data.impute({{nan}, {nan}}) end, "column 1 has no value", "an empty column"); fails(function() fill{{1, 2}} end, "learnt from 1 columns, got 2", "other columns"); fails(function() data.impute({1, 2}) end, "shape (rows, columns)", "a list")
fails(function() data.impute({{1}}, {strategy = "mode"}) end, "one of mean, median, constant", "an unknown strategy"); fails(function() data.impute({{1}}, {strateg = 1}) end, "strateg", "a mistyped argument"); fails(function() data.clip_outliers({{1}}, {factor = -1}) end, "a number from 0", "a negative factor")
tap.done()
