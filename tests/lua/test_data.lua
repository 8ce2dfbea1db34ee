-- SPDX-License-Identifier: MIT
-- Data sets and what is done with them, as a user meets them: readers on good and bad files, generators, parts, order, scales.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails, shape = tap.ok, tap.is, tap.near, tap.fails, tap.shape
local folder = os.tmpname()
os.remove(folder)
assert(os.execute("mkdir " .. folder))
local path = folder .. "/t.csv"
local function put(name, bytes) local file <close> = assert(io.open(folder .. "/" .. name, "wb")); file:write(bytes) end
local function csv(text, how) put("t.csv", text); return data.csv(path, how or {target = "y"}) end
local function same(a, b) return tostring(a.shape) == tostring(b.shape) and (a - b):abs():max():item() == 0 end

-- ---- tables of text ----
local d = csv('a,"b, c",y\n1,2,"yes, sure"\n3,-4.5e1,"no ""never"""\n')
is(d.features[2], "b, c", "a quoted name may hold the separator")
is(#d, 2, "rows"); is(d.n_classes, 2, "texts are classes"); is(d.y.dtype, "int32", "numbered"); is(d.x.dtype, "float32", "columns are numbers")
ok(d.classes[1] == 'no "never"' and d.classes[2] == "yes, sure", "quotes are read, classes stand in order")
ok(d.y[1] == 1 and d.y[2] == 0 and d.x[2][2] == -45, "the cells are read")
ok(csv("a,y\r\n1,0\r\n2,1\r\n").x[2][1] == 2 and csv("\239\187\191a,y\n1,0\n").features[1] == "a", "line ends of Windows, a byte order mark")
for name, separator in pairs{comma = ",", semicolon = ";", tab = "\t", bar = "|"} do
    is(csv((("a_b_y\n1_2_0\n3_4_1\n"):gsub("_", separator))).x[2][2], 4, name .. " is seen from the first line")
end
is(#csv("a,y\n1,0\n2,1", {target = "y"}), 2, "a last line without its end")
is(csv("a,y\n1,0.5\n2,1.5\n").y.dtype, "float32", "targets that are numbers stay numbers"); shape(csv("a,y\n1,0.5\n2,1.5\n").y, "(2, 1)", "in a column")
is(csv("a,b\n1,2\n", {target = nil}).y, nil, "no target, no y")
fails(function() csv("a,b,y\n1,2,3\n", {target = "z"}) end, 'has no column "z"', "an unknown target", "name")
fails(function() csv("amount,b,y\n1,2,3\n", {target = "amuont"}) end, 'did you mean "amount"', "a mistyped one", "name")
fails(function() csv("a;b;y\n1;2;3\n", {target = "y", separator = ","}) end, 'is separator = ";" meant?', "a wrong separator", "name")
fails(function() csv("a,b,y\n1,2,3\n", {target = "y", separator = ",;"}) end, "must be one character", "two separators", "arg")
fails(function() csv("a,b,y\n1,,0\n") end, 'column "b" has no value; choose missing', "a missing value names its column and the remedy", "data")
fails(function() csv("a,b,y\n1,,0\n") end, path .. ":2", "and its line")
is(#csv("a,b,y\n1,,0\n2,3,1\n", {target = "y", missing = "drop"}), 1, "rows with missing values can be dropped")
is(csv("a,b,y\n1,,0\n2,3,1\n4,5,1\n", {target = "y", missing = "mean"}).x[1][2], 4, "or filled with the mean")
fails(function() csv("") end, "it is empty", "an empty file", "data")
fails(function() csv("a,b,y\n") end, "no row is left", "a file with a head only", "data")
fails(function() csv("y\n1\n") end, "no column to learn from", "a target only", "data")
fails(function() csv("a,b,y\n1,2,3\n1,2\n") end, ":3:1: 2 cells, but the first row has 3", "a short row", "data")
fails(function() csv("a,b,y\n1,2,3\n1,2,3,4\n") end, ":3:", "a long row", "data")
fails(function() csv('a,b,y\n1,"2,3\n') end, "does not end", "a quote that stays open", "data")
fails(function() csv("a,y\n1,\0\n") end, "zero", "a zero byte", "data")
fails(function() csv("\255\254a\0") end, "UTF-16", "another encoding is told", "data")
os.remove(path)
fails(function() data.csv(path, {target = "y"}) end, path, "a file that is not there", "io")
fails(function() data.csv(folder) end, "is a folder", "a folder", "io")
fails(function() data.csv("/dev/zero") end, "is a device", "a file without an end", "io")
fails(function() data.csv("t\0.csv") end, "zero byte", "a name with a zero byte", "arg")
fails(function() data.csv(5) end, "file name", "a number for a name", "arg")

-- ---- packed files: plain, .gz and .xz are the same; what is cut off is refused ----
local function pack(tool, name) return os.execute(("command -v %s >/dev/null && %s -kf %s/%s"):format(tool, tool, folder, name)) end
local function bytes(name) local file <close> = assert(io.open(folder .. "/" .. name, "rb")); return file:read("a") end
local text = {"a,y\n"}
for i = 1, 2000 do text[#text + 1] = ("%d,%d\n"):format(i * 7919 % 1000, i % 2) end
local whole = csv(table.concat(text))
for tool, ending in pairs{gzip = ".gz", xz = ".xz"} do
    if pack(tool, "t.csv") then
        local packed = folder .. "/t.csv" .. ending
        ok(same(data.csv(packed, {target = "y"}).x, whole.x), ending .. ": the same table")
        local content = bytes("t.csv" .. ending)
        put("cut.csv" .. ending, content:sub(1, #content // 2))
        fails(function() data.csv(folder .. "/cut.csv" .. ending) end, "cut.csv" .. ending, ending .. ": cut in the middle", "data")
        put("lie.csv" .. ending, "not packed at all")
        fails(function() data.csv(folder .. "/lie.csv" .. ending, {target = "y"}) end, "", ending .. ": a lying name")
        put("bad.csv" .. ending, content:sub(1, 200) .. ("\255"):rep(50) .. content:sub(251))
        fails(function() data.csv(folder .. "/bad.csv" .. ending) end, "bad.csv" .. ending, ending .. ": damaged bytes", "data")
    else
        print("# no " .. tool .. " here")
    end
end

-- ---- MNIST's files ----
fails(function() data.mnist(folder .. "/none") end, "train-images-idx3-ubyte", "mnist: a folder that is not there: names what belongs in it", "io")
fails(function() data.mnist(folder) end, "the four files of MNIST belong there", "mnist: an empty folder", "io")
local function idx(type, dims, body) return string.pack(">I1I1I1I1", 0, 0, type, #dims) .. string.pack(">" .. ("I4"):rep(#dims), table.unpack(dims)) .. body end
local function mnist(images, labels)
    for _, part in ipairs{"train", "t10k"} do put(part .. "-images-idx3-ubyte", images); put(part .. "-labels-idx1-ubyte", labels) end
    return data.mnist(folder)
end
local pixels, two = ("\7"):rep(783) .. "\255" .. ("\0"):rep(784), idx(8, {2}, "\0\9")
local m = mnist(idx(8, {2, 28, 28}, pixels), two)
is(#m, 2, "mnist reads the four files"); is(m.x.dtype, "uint8", "images stay bytes"); shape(m.x, "(2, 28, 28, 1)", "with a channel")
ok(m.y[2] == 9 and m.y.dtype == "int32" and m.n_classes == 10, "with their labels"); is(m.x[1][28][28][1], 255, "pixel by pixel"); is(#m.test, 2, "and a part for the test")
for _, row in ipairs{
    {"cut off", idx(8, {2, 28, 28}, pixels:sub(2)), two, "images-idx3-ubyte: the header says (2, 28, 28)"},
    {"over-long", idx(8, {2, 28, 28}, pixels .. "x"), two, "but 1569 are there"},
    {"counts that overflow", idx(8, {0xffffffff, 0xffffffff, 0xffffffff}, pixels), two, "images-idx3-ubyte"},
    {"cut off in the header", idx(8, {2, 28, 28}, ""):sub(1, 9), two, "cut off in its header"},
    {"an empty file", "", two, "not an IDX file"},
    {"another kind of file", "PK\3\4 and more", two, "not an IDX file"},
    {"an unknown type", idx(7, {2, 28, 28}, pixels), two, "no type of IDX"},
    {"images that are no pictures", idx(8, {1568}, pixels), two, "no images"},
    {"a label too many", idx(8, {2, 28, 28}, pixels), idx(8, {3}, "\0\1\2"), "same number of rows"},
    {"a label that is no digit", idx(8, {2, 28, 28}, pixels), idx(8, {2}, "\0\10"), "10"},
} do fails(function() mnist(row[2], row[3]) end, row[4], "mnist: " .. row[1]) end
mnist(idx(8, {2, 28, 28}, pixels), two)
for tool, ending in pairs{gzip = ".gz", xz = ".xz"} do
    local all = true
    for _, part in ipairs{"train", "t10k"} do
        for _, what in ipairs{"images-idx3-ubyte", "labels-idx1-ubyte"} do all = all and pack(tool, part .. "-" .. what) end
    end
    if all then
        os.execute(("mkdir %s/%s && mv %s/*ubyte%s %s/%s"):format(folder, tool, folder, ending, folder, tool))
        ok(same(data.mnist(folder .. "/" .. tool).x, m.x), "mnist: " .. ending .. " files are the same")
    end
end
os.remove(folder .. "/t10k-labels-idx1-ubyte")
fails(function() data.mnist(folder) end, "t10k-labels-idx1-ubyte", "mnist: one of the four is missing", "io")

-- ---- CIFAR-10's files ----
fails(function() data.cifar10(folder) end, "data_batch_1.bin", "cifar10: an empty folder", "io")
local function cifar(record) for i = 1, 5 do put("data_batch_" .. i .. ".bin", record) end; put("test_batch.bin", record); return data.cifar10(folder) end
local record = "\2" .. ("\1"):rep(1024) .. ("\100"):rep(1024) .. ("\200"):rep(1024)
local c = cifar(record .. record)
ok(#c == 10 and #c.test == 2, "cifar10 reads five batches and the test"); shape(c.x, "(10, 32, 32, 3)", "as pictures"); is(c.x.dtype, "uint8", "of bytes")
ok(c.x[1][1][1][1] == 1 and c.x[1][1][1][2] == 100 and c.x[1][1][1][3] == 200, "planes become channels"); is(c.classes[c.y[1] + 1], "bird", "with names")
fails(function() cifar(record:sub(2)) end, "not a whole number of CIFAR-10 records", "cifar10: cut off", "data")
fails(function() cifar(record .. "x") end, "data_batch_1.bin", "cifar10: over-long", "data")
fails(function() cifar("\12" .. record:sub(2)) end, "label 12, not 0 to 9", "cifar10: another version", "data")
fails(function() cifar("") end, "data_batch_1.bin", "cifar10: an empty file", "data")
cifar(record)
for i = 2, 5 do os.remove(("%s/data_batch_%d.bin"):format(folder, i)) end
os.remove(folder .. "/test_batch.bin")
local part = data.cifar10(folder)
ok(#part == 1 and part.test == nil and part.text:find("Only 1 of the 5", 1, true), "cifar10: what is missing is told")
os.execute("rm -r " .. folder)

-- ---- what ships ----
local digits, iris = data.digits(), data.iris()
ok(#digits == 3823 and #digits.test == 1797 and digits.x.dtype == "uint8" and digits.x:max():item() == 16, "digits: 3,823 and 1,797 rows of 0 ... 16")
shape(digits.x, "(3823, 8, 8, 1)", "digits are pictures"); is(digits.n_classes, 10, "of ten classes")
shape(iris.x, "(150, 4)", "iris"); ok(iris.classes[1] == "setosa" and (iris.y:sum():item()) == 150 and iris.features[1], "has names and fifty of each")

-- ---- generators ----
for _, name in ipairs{"xor", "spiral", "moons", "circles", "blobs"} do
    local a, b, other = data[name](40, {seed = 3}), data[name](40, {seed = 3}), data[name](40, {seed = 4})
    ok(same(a.x, b.x) and same(a.y, b.y), name .. ": the same seed, the same points"); ok(not same(a.x, other.x), name .. ": another seed, others")
    ok(#a == 40 and #a.x == 40 and a.x.dtype == "float32" and a.y.dtype == "int32", name .. ": 40 points with classes")
    for _, n in ipairs{0, -1, 2.5, "x", 1e12, 0 / 0, math.huge} do fails(function() data[name](n) end, name .. ": n must be a whole number", name .. ": n = " .. tostring(n), "arg") end
    fails(function() data[name](40, {noise = -1}) end, "noise must be", name .. ": noise below zero", "arg")
    fails(function() data[name](40, {nois = 1}) end, 'did you mean "noise"', name .. ": a mistyped argument", "arg")
end
local clean = data.circles(100, {noise = 0, seed = 1})
near(op.max(op.sum(clean.x * clean.x, {axis = 1})):item(), 1, "circles without noise: the outer has radius 1")
local blobs = data.blobs(90, {classes = 5, features = 3, seed = 2})
shape(blobs.x, "(90, 3)", "blobs: as many features as wanted"); is(blobs.n_classes, 5, "and classes")
local x = data.xor(200, {noise = 0, seed = 5})
local right = true
for i = 1, 200 do right = right and (x.x[i][1] * x.x[i][2] < 0) == (x.y[i] == 1) or false end
ok(right or x.x:min():item() >= 0, "xor: the class tells whether the signs differ")

-- ---- arrays, parts, order ----
fails(function() data.arrays(tensor.zeros(3, 2), tensor.zeros(4)) end, "same number of rows", "as many targets as samples", "shape")
fails(function() data.arrays(5) end, "axis of rows", "a number is no dataset", "shape")
local rows = data.arrays({{1, 10}, {2, 20}, {3, 30}, {4, 40}}, {0, 1, 0, 1})
is(#rows:rows(2, 3), 2, "rows first to last"); is(rows:take{4, 1}.x[1][1], 4, "rows by their numbers")
for _, bad in ipairs{{5}, {0}, {-1}, {math.mininteger}, {1.5}, {"x"}} do fails(function() rows:take(bad) end, "row", "a row that is not there: " .. tostring(bad[1])) end
fails(function() rows:take(3) end, "table of row numbers", "a number for a table", "arg")
fails(function() rows:rows(3, 9) end, "9", "rows beyond the end"); fails(function() rows:rows(3, 2) end, "first <= last", "rows backwards")
ok(same(rows:shuffle(7).x, rows:shuffle(7).x), "a shuffle with a seed is repeatable")
local mixed = data.arrays(tensor.arange(0, 100):reshape{100, 1}, tensor.arange(0, 100)):shuffle(7)
ok(same(mixed.x:reshape{100}, mixed.y) and mixed.x:sum():item() == 4950, "it keeps the rows, each with its target"); ok(not same(mixed.x:reshape{100}, tensor.arange(0, 100)), "in another order")
local a, b = mixed:split(0.2, {seed = 1}); ok(#a == 80 and #b == 20 and a.x:sum():item() + b.x:sum():item() == 4950, "a split shares the rows out")
local a2, b2 = mixed:split(0.2, {seed = 1}); ok(same(b.x, b2.x), "the same with the same seed")
local _, last = rows:split(0.25, {shuffle = false}); is(last.x[1][1], 4, "without shuffle the last rows")
local s1, s2 = data.iris():split(0.2, {stratified = true, seed = 1}); local counts = data.one_hot(s2.y):sum(0)
ok(#s1 == 120 and counts[1] == 10 and counts[2] == 10 and counts[3] == 10, "stratified: the same share of every class")
for _, share in ipairs{0, 1, 1.5, -0.1, 0 / 0} do fails(function() rows:split(share) end, "fraction must be", "no split at " .. tostring(share), "arg") end
local n, sizes, total = 0, {}, 0
for bx, by in mixed:batches(32) do n = n + 1; sizes[n] = #bx; total = total + bx:sum():item(); ok(same(bx:reshape{#bx}, by), "batch " .. n .. " has its targets") end
ok(n == 4 and sizes[1] == 32 and sizes[4] == 4 and total == 4950, "batches: every row once, the last batch is short")
local order = {}
for bx in mixed:batches(100, {shuffle = true, seed = 3}) do order[#order + 1] = bx end
for bx in mixed:batches(100, {shuffle = true, seed = 3}) do ok(same(bx, order[1]) and not same(bx, mixed.x), "shuffled batches repeat with their seed") end
fails(function() rows:batches(0) end, "batch_size must be", "no batches of 0", "arg"); fails(function() rows:batches(1.5) end, "batch_size must be", "nor of halves", "arg")

-- ---- one-hot, scales ----
shape(data.one_hot({0, 1, 0, 1}, 2):sum(0), "(2)", "one-hot columns"); ok(data.one_hot({2, 0}, 3)[1][3] == 1 and data.one_hot({2, 0}, 3):sum():item() == 2, "one one a row")
fails(function() data.one_hot({0, 5}, 2) end, "label 5 at place 2 is not in 0 ... 1", "a class beyond the last", "data")
fails(function() data.one_hot({-1}) end, "label -1", "a class below 0", "data"); fails(function() data.one_hot({0.5}) end, "whole numbers", "half a class")
fails(function() data.one_hot({1e9}) end, "up to 1000000 classes", "a number that is no class is refused before memory is taken", "data")
local z, scale = data.minmax(rows.x); ok(z:min():item() == 0 and z:max():item() == 1, "minmax gives 0 ... 1"); is(scale{{2.5, 25}}[1][1], 0.5, "and its scale serves other data")
local s, by = data.standardize(rows.x)
near(s:mean():item(), 0, "standardize gives the mean 0"); near((s * s):mean():item(), 1, "and the deviation 1"); near(by{{2.5, 25}}:abs():max():item(), 0, "its scale too")
ok(data.standardize{{3, 1}, {3, 2}}[1][1] == 0, "a constant column becomes 0, not NaN"); fails(function() by{{1, 2, 3}} end, "3", "another number of columns")
fails(function() data.standardize(5) end, "", "a number has no columns"); fails(function() data.minmax{} end, "", "nor has nothing")
tap.done()
