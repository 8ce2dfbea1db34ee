-- SPDX-License-Identifier: MIT
-- Rows of one length against Keras, windows, hidden words, choices, and a tokeniser that travels with its model.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails = tap.ok, tap.is, tap.near, tap.fails
local function list(t) local out = {}; for i = 1, #t do out[i] = ("%g"):format(t[i]) end; return table.concat(out, " ") end
local function rows(t) local out = {}; for i = 1, #t do out[i] = list(t[i]) end; return table.concat(out, "|") end

local ref = dofile("tests/fixtures/text/padding.lua")
for i, case in ipairs(ref.cases) do is(rows(data.pad_sequences(ref.rows, case[1])), case[2], "pad_sequences as Keras's, case " .. i) end
is(rows(data.pad_sequences({tensor{1, 2}, {3}}, {dtype = "float32", value = 0.5})), "1 2|0.5 3", "sequences that are tensors")
fails(function() data.pad_sequences(5) end, "list of sequences", "no list", "arg"); fails(function() data.pad_sequences({{{1}}}) end, "number 1 has shape (1, 1)", "a sequence of rows", "shape")
fails(function() data.pad_sequences({{1}}, {padding = "front"}) end, "padding", "an unknown side", "arg"); fails(function() data.pad_sequences({{1}}, {value = 0.5}) end, "", "a fraction among whole numbers")

-- windows
local x, y = data.windows({1, 2, 3, 4, 5, 6, 7}, {length = 3, horizon = 2})
is(rows(x) .. "/" .. rows(y), "1 2 3|2 3 4|3 4 5/4 5|5 6|6 7", "windows and what follows")
x, y = data.windows({1, 2, 3, 4, 5, 6, 7}, {length = 2, stride = 3, gap = 1}); is(rows(x) .. "/" .. rows(y), "1 2|4 5/4|7", "with a stride and a gap")
x, y = data.windows(tensor({0, 1, 2, 3, 4, 5, 6}, "int32"), {length = 3, horizon = 3, stride = 3, gap = -2})
is(rows(x) .. "/" .. rows(y), "0 1 2|3 4 5/1 2 3|4 5 6", "next tokens of a text"); is(x.dtype, "int32", "keep their type")
x, y = data.windows({{1, 10}, {2, 20}, {3, 30}}, {length = 2, target = 2}); tap.shape(x, "(1, 2, 2)", "windows of rows"); is(rows(y), "30", "and one column foretold")
x, y = data.windows({{1, 10}, {2, 20}, {3, 30}}, {length = 2}); tap.shape(y, "(1, 1, 2)", "or all of them")
local T = 400
local series = {}; for i = 1, T do series[i] = i end
for _, plan in ipairs{{1, 1, 1, 0}, {7, 3, 2, 5}, {50, 50, 50, -49}, {399, 1, 9, 0}} do
    local a, b = data.windows(series, {length = plan[1], horizon = plan[2], stride = plan[3], gap = plan[4]})
    local good = #a == #b
    for i = 1, #a do
        local start = (i - 1) * plan[3]
        good = good and a[i][1] == start + 1 and a[i][plan[1]] == start + plan[1] and b[i][1] == start + plan[1] + plan[4] + 1
    end
    local last = (#a - 1) * plan[3] + plan[1] + math.max(0, plan[4] + plan[2])
    ok(good and last <= T and last + plan[3] > T, "every window of " .. table.concat(plan, ", ") .. " and no more fit")
end
fails(function() data.windows({1, 2, 3}, {length = 3}) end, "do not fit into a series of 3", "a series that is too short", "data"); fails(function() data.windows({1, 2}) end, "length", "no length", "arg")
fails(function() data.windows({1, 2, 3}, {length = 1, target = 2}) end, "target", "a column of a single series", "arg"); fails(function() data.windows({1, 2, 3}, {length = 1, gap = -2}) end, "before the window", "a target before the window", "arg")

-- hidden words
local t = data.WordPieceTokenizer("a b c d e f g h", {min_frequency = 1})
local ids = t:encode(("a b c d e f g h "):rep(1000), {add_special = true})
local hidden, same, chosen = data.mask_tokens(ids, t, {seed = 4})
local n, masked, kept, wrong = 0, 0, 0, 0
for i = 1, #ids do
    if chosen[i] == 1 then n = n + 1; if hidden[i] == t.mask_id then masked = masked + 1 elseif hidden[i] == ids[i] then kept = kept + 1 end
    elseif hidden[i] ~= ids[i] then wrong = wrong + 1 end
    if hidden[i] < 4 and hidden[i] ~= ids[i] then wrong = wrong + 1 end
end
near(n / 8000, 0.15, "15 % are chosen", 0.015); near(masked / n, 0.8, "80 % of these are hidden", 0.04); near(kept / n, 0.1 + 0.1 / 8, "about 10 % stay", 0.03)
is(wrong, 0, "nothing else changes, and no special token is drawn"); is(list(same), list(ids), "y is what was there"); is(chosen[1] + chosen[#ids], 0, "special tokens are never chosen")
is(list(data.mask_tokens(ids, t, {seed = 4})), list(hidden), "the same seed, the same choice"); ok(list(data.mask_tokens(ids, t, {seed = 4, step = 1})) ~= list(hidden), "another step, another choice")
fails(function() data.mask_tokens(ids, data.WordTokenizer("a")) end, "no mask token", "no mask token", "arg"); fails(function() data.mask_tokens({99}, t) end, "token id 99", "an id outside", "data")

-- choices
is(nn.sample({0, 3, 3, 1}, {temperature = 0}), 1, "greedy: of equal scores the first"); is(list(nn.sample({{0, 9}, {9, 0}}, {temperature = 0})), "1 0", "row by row")
local p = {0.5, 0.3, 0.15, 0.05}
local logits = {}; for i = 1, 4 do logits[i] = math.log(p[i]) end
local function shares(options)
    local counts = {0, 0, 0, 0}
    options.seed = 7
    for step = 1, 4000 do options.step = step; local id = nn.sample(logits, options); counts[id + 1] = counts[id + 1] + 1 / 4000 end
    return counts
end
local function close(got, want, name) for i = 1, 4 do near(got[i], want[i], name .. ", choice " .. i - 1, 0.03) end end
close(shares{}, p, "drawn by probability"); close(shares{top_k = 2}, {0.625, 0.375, 0, 0}, "top_k"); close(shares{top_p = 0.7}, {0.625, 0.375, 0, 0}, "top_p keeps what crosses it")
close(shares{top_p = 0.01}, {1, 0, 0, 0}, "top_p keeps one"); local z = 0.25 + 0.09 + 0.0225 + 0.0025; close(shares{temperature = 0.5}, {0.25 / z, 0.09 / z, 0.0225 / z, 0.0025 / z}, "temperature")
is(nn.sample({-math.huge, 0, -math.huge}), 1, "a forbidden choice is never drawn")
is(nn.sample(logits, {seed = 3, step = 9}), nn.sample(logits, {seed = 3, step = 9}), "the same seed and step, the same draw")
local v, i = nn.top_k({{3, 9, 5}, {1, 1, 0}}, 2); is(rows(v) .. "/" .. rows(i), "9 5|1 1/1 2|0 1", "top_k")
fails(function() nn.sample({0/0, 1}) end, "NaN", "a score that is NaN", "numeric"); fails(function() nn.sample({-math.huge}) end, "finite", "nothing to choose", "numeric"); fails(function() nn.sample({1}, {temperature = -1}) end, "temperature", "a negative temperature", "arg")
fails(function() nn.sample(3) end, "scores of shape", "a number", "shape"); fails(function() nn.sample({1}, {top_p = 0}) end, "top_p", "top_p of nothing", "arg"); fails(function() nn.top_k({1, 2}, 3) end, "1 to 2", "k too large", "arg")

-- with the model
local m = nn.Sequential{nn.Dense(2, {input_shape = {3}})}
is(m.tokenizer, nil, "a model has no tokeniser at first")
m.tokenizer = t
is(table.concat(m.tokenizer.vocabulary, " "), table.concat(t.vocabulary, " "), "until it is given one")
local path = os.tmpname() .. ".safetensors"
m:save(path)
local again = nn.load(path)
is(list(again.tokenizer:encode("A bad cafe")), list(t:encode("A bad cafe")), "saved and loaded with the model")
m:compile{optimizer = "sgd", loss = "mse"}; m:save(path); is(nn.load(path).tokenizer.kind, "word_piece", "and with a compiled one")
local run = m:fit(tensor.zeros(64, 3), tensor.zeros(64, 2), {epochs = 100000, wait = false, verbose = 0})
m.tokenizer = data.WordTokenizer("x y"); is(m.tokenizer.kind, "word", "set while the model trains"); m:save(path); run:stop()
is(nn.load(path).tokenizer.vocab_size, 4, "and saved then")
m.tokenizer = nil; is(m.tokenizer, nil, "taken away"); m:save(path); is(nn.load(path).tokenizer, nil, "and not in the file")
fails(function() m.tokenizer = "word" end, "tokenizer", "a text for a tokeniser"); fails(function() m.tokenizer = data.WordTokenizer() end, "no vocabulary yet", "one that is not trained", "state")
os.remove(path)
tap.done()
