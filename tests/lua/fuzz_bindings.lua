-- SPDX-License-Identifier: MIT
-- Calls of everything that Lua can reach, with arguments that make no sense. Loaded by tests/unit/test_fuzz_bindings.c, which
-- gives (seed, wild) and gets a function back: each call of it makes one call of hebb and returns nil, or what is wrong with
-- the answer. Before that call `note` tells what is called. All draws come from the seed.
-- Half of the calls are of a function, method, field or operator with drawn arguments; the other half are examples of help()
-- in which numbers, texts and tables were exchanged, so that calls get past the first check.
local seed, safe, note = ...
local floor, huge, type, tostring, pcall, select, pairs = math.floor, math.huge, type, tostring, pcall, select, pairs
local load, next, getmetatable, concat, unpack, sort = load, next, getmetatable, table.concat, table.unpack, table.sort
local help, nn, data, tensor, coroutine, io = help, nn, data, tensor, coroutine, io

local state = seed
local function draw(n) -- a whole number from 1 to n
    state = (state * 6364136223846793005 + 1442695040888963407) & -1
    return ((state >> 33) % n) + 1
end
local function pick(list) return list[draw(#list)] end

-- ---- values ----

local numbers = {
    0, 1, -1, 2, 3, 7, 32, 100, 1000, -2, 0.5, -0.5, 1.5, 2.5, 1e-300, 1e300, -1e300, huge, -huge, 0 / 0, -0.0, 2 ^ 31, 2 ^ 31 - 1,
    2 ^ 32, 2 ^ 53, 2 ^ 63, 1e6, 1e9, 1e15, 65536, 3037000500, math.maxinteger, math.mininteger, 2147483647, -2147483648, 4294967296,
}
local texts = {
    "", "x", "a\0b", "\0", ("long "):rep(20), ("y"):rep(100000), "\255\254", "%s%n%d", "\27[2J", "two\nlines", "1", "nan", "nil",
    "relu", "softmax", "same", "valid", "adam", "sgd", "mse", "accuracy", "float32", "int32", "uint8", "zeros", "l2(0.1)", "auto",
    "sparse_categorical_crossentropy", "end", "first", "x.npy", "x.npz", "x.csv", "x.safetensors", "x", "mnist", ".", "none/x.npy",
    "causal", "torch", "grün", "e\204\129",
}
local outside = { "../out.npy", "../out.safetensors", "link/out.npy", "link/out.safetensors", "..", "/", "/tmp", "link", "/dev/null", "/dev/zero", "dead" }
local keys = {
    "units", "activation", "axis", "shape", "kernel_size", "filters", "pool_size", "strides", "padding", "epochs", "batch_size",
    "validation_split", "validation_data", "callbacks", "seed", "name", "input_shape", "optimizer", "loss", "metrics", "target", "x", "y",
    "noise", "n", "rate", "step", "verbose", "wait", "class_weight", "sample_weight", "dtype", "keepdims", "resume", "args", "call",
    "build", "inputs", "outputs", "layers", "sequence_length", "shift", "stride", "vocabulary", "missing", "text", "header", "learning_rate",
}

local objects = {} -- made anew now and then, as calls change and end them
local value

local function knot() local t = {}; t[1], t.self = t, t; return t end
local tables = {
    function() return {} end,
    function() return {1, 2, 3} end,
    function() return {{1, 2}, {3}} end,
    function() return {{1, 2}, {3, 4}} end,
    knot,
    function() return {[1] = 1, [3] = 3} end,
    function() return {[0] = 1, [-1] = 2, [2 ^ 53] = 3} end,
    function() return setmetatable({}, {__index = function() error("from __index") end, __len = function() return 1e9 end}) end,
    function() return {value(1), value(1)} end,
    function() return {value(1), value(1), value(1), value(1)} end,
    function() return {[pick(keys)] = value(1)} end,
    function() return {[pick(keys)] = value(1), [pick(keys)] = value(1)} end,
    function() local t = {}; for i = 1, 300 do t[i] = i end; return t end,
    function() local t = {}; for _ = 1, 200 do t = {t} end; return t end,
    function() local t = {}; for i = 1, 12 do t[i] = {} end; return t end,
}

function value(depth)
    local kind = draw(20)
    if kind <= 6 then return pick(numbers) end
    if kind <= 9 then return pick(texts) end
    if kind == 10 then return pick(safe and outside or texts) end
    if kind == 11 then return draw(2) == 1 end
    if kind == 12 then return nil end
    if kind <= 15 and depth < 3 then return pick(tables)() end
    return pick(objects).value
end

-- ---- objects of every kind, whole, odd and worn ----

local makers = {
    function() return tensor{1, 2, 3} end,
    function() return tensor{{1, 2}, {3, 4}} end,
    function() return tensor.zeros(1, 1, 1, 1) end,
    function() return tensor.rand(2, 5, 5, 3) end,
    function() return tensor.randn(2, 3, 4) end,
    function() return tensor.zeros(1, 1, 1, 1, 1, 1) end,
    function() return tensor.ones(0) end,
    function() return tensor.zeros(0, 3) end,
    function() return tensor({0, 2, 1}, "int32") end,
    function() return tensor({{0, -7}, {2147483647, 9}}, "int32") end,
    function() return tensor({0, 255}, "uint8") end,
    function() return tensor{0 / 0, huge, -huge} end,
    function() local t = tensor{1, 2}; t.requires_grad = true; return t end,
    function() local t = tensor{{1, 2}}; t.requires_grad = true; return (t * t):sum() end,
    function() return tensor(5) end,
    function() return nn.Sequential() end,
    function() return nn.Sequential{nn.Dense(3)} end,
    function() local m = nn.Sequential{nn.Dense(2, "softmax", {input_shape = {2}})}; m:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}; return m end,
    function() local x = nn.Input{shape = {2}}; return nn.Model(x, nn.Dense(1)(x)) end,
    function() local m = nn.Sequential{nn.LSTM(2, {stateful = true, batch_input_shape = nil, input_shape = {3, 2}})}; return m end,
    function() return nn.Sequential{nn.Embedding(5, 2, {input_shape = {3}}), nn.Flatten(), nn.Dense(1)} end,
    function() return nn.Sequential{nn.Conv2D(2, 3, {input_shape = {6, 6, 1}}), nn.BatchNormalization(), nn.MaxPooling2D(2)} end,
    function() local m = nn.Sequential{nn.Dense(1, {input_shape = {2}})}; m:compile{optimizer = "sgd", loss = "mse"}; return m:fit({{1, 2}, {3, 4}}, {1, 2}, {verbose = 0, epochs = 1}) end,
    function() local m = nn.Sequential{nn.Dense(1, {input_shape = {2}})}; m:compile{optimizer = "sgd", loss = "mse"}; return m:fit({{1, 2}, {3, 4}}, {1, 2}, {verbose = 0, epochs = 2, wait = false, paused = true}) end,
    function() return nn.Dense(3) end,
    function() return nn.Dropout(0.5) end,
    function() return nn.GRU(2) end,
    function() return nn.Bidirectional(nn.LSTM(2)) end,
    function() return nn.Sequential{nn.Dense(2, {input_shape = {2}})}.layers[1] end,
    function() return nn.Lambda(function(x) return x * 2 end) end,
    function() return nn.layer{name = "Fuzzed", call = function(_, x) return x + 1 end}() end,
    function() return nn.layer{name = "Broken", call = function() error("from call") end}() end,
    function() return nn.Input{shape = {2}} end,
    function() return nn.Dense(2)(nn.Input{shape = {4, 3}}) end,
    function() return nn.Adam(0.01) end,
    function() return nn.CosineDecay(0.1, 10) end,
    function() return nn.Huber() end,
    function() return nn.EarlyStopping() end,
    function() return data.xor(8) end,
    function() return data.arrays({{1, 2}, {3, 4}}, {0, 1}) end,
    function() return data.arrays({{1, 2}, {3, 4}}) end,
    function() return select(2, data.standardize{{1}, {3}}) end,
    function() return data.WordTokenizer() end,
    function() return data.WordTokenizer{text = "the cat sat on the mat"} end,
    function() return data.BytePairTokenizer{text = "the cat sat on the mat", vocab_size = 20} end,
    function() return function() end end,
    function() return function() error("from a function") end end,
    function() return function(...) return ... end end,
    function() return coroutine.yield end,
    function() return coroutine.create(function() end) end,
    function() return io.stdout end,
}
if not safe then
    makers[#makers + 1] = function() local f = io.open("closed", "w"); f:close(); return f end
end

local function renew()
    local runs = {}
    pcall(function() for _, run in pairs(nn.runs()) do pcall(run.stop, run) end end)
    objects = {}
    for _, maker in ipairs(makers) do
        local good, made = pcall(maker)
        if good then objects[#objects + 1] = {value = made} end
    end
end

-- ---- what there is to call ----

local own = { -- of Lua itself, not ours to judge
    assert = 1, collectgarbage = 1, dofile = 1, error = 1, getmetatable = 1, ipairs = 1, loadfile = 1, next = 1, pairs = 1, pcall = 1,
    rawequal = 1, rawget = 1, rawlen = 1, rawset = 1, require = 1, select = 1, setmetatable = 1, tonumber = 1, tostring = 1, type = 1, warn = 1,
    load = 1, xpcall = 1, tour = 1, -- tour trains for seconds
    string = 1, table = 1, math = 1, utf8 = 1, coroutine = 1, debug = 1, package = 1, os = 1, _G = 1, arg = 1, __fuzz = 1,
    ["io.open"] = 1, ["io.tmpfile"] = 1, ["io.type"] = 1, ["io.popen"] = 1, ["io.lines"] = 1, ["io.close"] = 1, ["io.output"] = 1, ["io.stdout"] = 1, ["io.stderr"] = 1,
    ["io.stdin"] = 1,
}
local targets = {}
local function walk(table_, prefix, depth)
    for name, what in pairs(table_) do
        local path = prefix .. tostring(name)
        if type(name) == "string" and not own[path] then
            if type(what) == "function" then targets[#targets + 1] = {name = path, call = what} end
            if type(what) == "table" and depth < 4 then
                local meta = getmetatable(what)
                if type(meta) == "table" and meta.__call then targets[#targets + 1] = {name = path, call = what} end
                walk(what, path .. ".", depth + 1)
            end
        end
    end
end
walk(_G, "", 1)
local members = {}
for _, row in ipairs(help.names()) do
    local object, name = row.name:match("^(%l+)[:.]([%a_]+)$")
    if object and (row.kind == "method" or row.kind == "field" or row.name:find(":")) then members[#members + 1] = {object = object, name = name} end
end
sort(targets, function(a, b) return a.name < b.name end)
sort(members, function(a, b) return a.object .. a.name < b.object .. b.name end)
local examples = help.examples()

-- ---- telling what is called ----

local function tell(v, depth)
    local kind = type(v)
    if kind == "string" then return #v > 40 and ("text of %d"):format(#v) or ("%q"):format(v):gsub("\n", "n") end
    if kind == "number" then return ("%.17g"):format(v) end
    if kind == "table" and not getmetatable(v) and depth < 3 then
        local parts = {}
        for k, inner in next, v do
            parts[#parts + 1] = "[" .. tell(k, 3) .. "] = " .. tell(inner, depth + 1)
            if #parts > 6 then parts[#parts + 1] = "…" break end
        end
        return "{" .. concat(parts, ", ") .. "}"
    end
    if kind == "userdata" then
        local _, text = pcall(tostring, v)
        return "<" .. tostring(text):sub(1, 40):gsub("[%c]", " ") .. ">"
    end
    return kind == "boolean" and tostring(v) or kind
end
local function tell_all(list, n)
    local parts = {}
    for i = 1, n do parts[i] = tell(list[i], 0) end
    return concat(parts, ", ")
end

-- ---- judging the answer ----

-- A message is one readable sentence: it names what was wanted, holds no control bytes, and is none of those that Lua's own
-- C library or a slip in our Lua code would give.
local foreign = { "fuzz:", "bad argument", "attempt to", "stack overflow", "got no value", "'?'", "(null)", "for initial value" }
local function judge(good, e, written)
    if good then return nil end
    local text = type(e) == "table" and rawget(e, "message") or e
    if type(text) ~= "string" then return "the error is " .. tostring(e) end
    if text:find("^mutant:%d+: ") and type(e) == "string" then -- the fault of the drawn code, unless one of ours raised it
        local culprit = text:match("bad argument #%d+ to '([%a_]+)'")
        if not culprit or own[culprit] or string[culprit] or table[culprit] or math[culprit] then return nil end
    end
    if text:find("from a function", 1, true) or text:find("from call", 1, true) or text:find("from __index", 1, true) then return nil end
    if text == "not enough memory" then -- Lua's word for it; only where little is left
        return hebb.memory().bytes < 150e6 and "out of memory with " .. hebb.memory().bytes .. " bytes in use" or nil
    end
    for _, part in ipairs(foreign) do
        if text:find(part, 1, true) then return "message: " .. text end
    end
    if text == "interrupted" then return nil end -- by the watcher
    if #text < 12 or not text:find(" ") then return "no sentence: " .. text end
    if type(e) == "string" then return nil end -- of the library in Lua: what it tells is made printable by who shows it
    if text:gsub("[\n\t]", ""):find("%c") then return ("control bytes in the message: %q"):format(text) end
    if #text > 500 then return "a message of " .. #text .. " bytes" end
    if not utf8.len(text) then return ("broken UTF-8 in the message: %q"):format(text) end
end

-- ---- one call ----

local function arguments()
    local n = draw(6) - 1
    local list = {}
    for i = 1, n do list[i] = value(0) end
    return list, n
end

local function call_function()
    local target = pick(targets)
    local list, n = arguments()
    note(target.name .. "(" .. tell_all(list, n) .. ")")
    return pcall(target.call, unpack(list, 1, n))
end

local function ours(v) local good, name = pcall(getmetatable, v); return good and type(name) == "string" and name:find("^hebb ") end

local function of_kind(object) -- mostly one that has the member
    if draw(8) == 1 then return value(0) end
    local fits = {}
    for _, row in ipairs(objects) do
        local _, text = pcall(getmetatable, row.value)
        if type(row.value) == "userdata" and text == "hebb " .. object then fits[#fits + 1] = row.value end
    end
    if #fits == 0 then return value(0) end
    return pick(fits)
end

local function call_member()
    local member = pick(members)
    local object, list, n = of_kind(member.object), arguments()
    local how = draw(8)
    if how == 1 then
        note(tell(object, 0) .. "." .. member.name .. " = " .. tell(list[1], 0))
        local good, e = pcall(function() object[member.name] = list[1] end)
        return good or not ours(object), e
    end
    local self = draw(12) == 1 and value(0) or object
    note(tell(object, 0) .. "." .. member.name .. "(" .. tell(self, 0) .. ", " .. tell_all(list, n) .. ")")
    local found, method = pcall(function() return object[member.name] end)
    if not found or type(method) ~= "function" then return found or not ours(object), method end
    return pcall(method, self, unpack(list, 1, n))
end

local operators = {
    function(a, b) return a + b end, function(a, b) return a - b end, function(a, b) return a * b end, function(a, b) return a / b end,
    function(a, b) return a % b end, function(a, b) return a ^ b end, function(a) return -a end, function(a) return #a end,
    function(a, b) return a == b end, function(a, b) return a < b end, function(a, b) return a <= b end, function(a, b) return a .. b end,
    function(a) return tostring(a) end, function(a, b) return a(b) end, function(a, b, c) return a(b, c) end, function(a, b) return a[b] end,
    function(a, b, c) a[b] = c end, function(a, b) return a // b end, function(a) return ~a end,
    function(a) local n = 0; for _ in pairs(a) do n = n + 1; if n > 99 then break end end return n end,
}
local function call_operator()
    local a, b, c = pick(objects).value, value(0), value(0)
    if draw(4) == 1 then a, b = b, a end
    local i = draw(#operators)
    note("operator " .. i .. " (" .. tell_all({a, b, c}, 3) .. ")")
    local good, e = pcall(operators[i], a, b, c)
    if not good and type(e) == "string" then return true end -- Lua's own words: it names no function of ours
    return good, e
end

local quiet = setmetatable({assert = function(...) return ... end, print = function() end, os = {}, io = {}, tour = function() end},
    {__index = _G, __newindex = function(t, k, v) rawset(t, k, v) end})
local function call_example()
    local example = pick(examples)
    local code, exchanged = example.code, {}
    local places, n = {}, 0
    for from, to in code:gmatch("()%f[%w_.]%d[%w.]*()") do n = n + 1; places[n] = {from, to - 1} end
    for from, to in code:gmatch('()"[^"]*"()') do n = n + 1; places[n] = {from, to - 1} end
    for from, to in code:gmatch("()%b{}()") do n = n + 1; places[n] = {from, to - 1} end
    for from, to in code:gmatch("()%f[%w](true)%f[%W]()") do n = n + 1; places[n] = {from, from + 3} end
    if n == 0 then return true end
    sort(places, function(a, b) return a[1] < b[1] end)
    local values, parts, at, count = {}, {}, 1, 0
    local chosen = draw(n)
    for i, place in ipairs(places) do
        if place[1] >= at and (i == chosen or draw(10) == 1) then
            count = count + 1
            values[count] = value(1)
            parts[#parts + 1] = code:sub(at, place[1] - 1) .. " (V[" .. count .. "]) "
            at = place[2] + 1
        end
    end
    parts[#parts + 1] = code:sub(at)
    code = concat(parts)
    quiet.V = values
    quiet.model = nn.Sequential{nn.Dense(3, {input_shape = {2}})}
    local run = load(code, "=mutant", "t", quiet)
    if not run then return true end
    note(code .. "   with V = " .. tell_all(values, count))
    return pcall(run)
end

local ways = { call_function, call_function, call_member, call_member, call_operator, call_example, call_example, call_example }
local calls = 0
return function()
    if calls % 150 == 0 then note("new objects") renew() end
    calls = calls + 1
    local drawn = draw(#ways)
    return judge(ways[drawn]())
end
