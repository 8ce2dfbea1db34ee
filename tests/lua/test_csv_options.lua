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
os.remove(path)
tap.done()
