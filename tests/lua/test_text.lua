-- SPDX-License-Identifier: MIT
-- Tokenisers: against the tokenizers package on the same texts, by their promises on others, and against bad input.
local tap = dofile("tests/lua/tap.lua")
local ok, is, fails = tap.ok, tap.is, tap.fails
local function list(t) local out = {}; for i = 1, #t do out[i] = t[i] end; return table.concat(out, " ") end
local function read(path) local file <close> = assert(io.open(path, "rb")); return file:read("a") end
local sample = read("tests/fixtures/text/sample.txt")
local ref = dofile("tests/fixtures/text/tokenizers.lua")

-- byte pairs: the same vocabulary learnt, the same ids, the same text back
local bpe = data.BytePairTokenizer(sample, {vocab_size = ref.byte_pair.size})
is(bpe.vocab_size, 700, "as many tokens as asked for")
local first
for i, token in ipairs(ref.byte_pair.vocabulary) do if bpe.vocabulary[i] ~= token then first = i break end end
is(first, nil, "byte pairs: the vocabulary that the reference learns, entry by entry")
for i, text in ipairs(ref.texts) do
    is(list(bpe:encode(text)), list(ref.byte_pair.ids[i]), "byte pairs: ids of text " .. i)
    is(bpe:decode(bpe:encode(text)), text, "byte pairs: text " .. i .. " comes back")
end
is(bpe:decode(bpe:encode(sample)), sample, "byte pairs: the whole sample comes back")
local all = {}
for code = 1, 0x10ffff, 37 do if code < 0xd800 or code > 0xdfff then all[#all + 1] = utf8.char(code) end end
all = table.concat(all)
is(bpe:decode(bpe:encode(all)), all, "byte pairs: characters of every plane come back")
local long = ("ab"):rep(200000)
is(bpe:decode(bpe:encode(long)), long, "byte pairs: one word of 400,000 letters")

-- WordPiece with the reference's vocabulary
local cases = {uncased = {}, cased = {lowercase = false}, lower = {strip_accents = false}, bare = {lowercase = false, strip_accents = true}}
for name, options in pairs(cases) do
    options.vocabulary = ref.pieces
    local t = data.WordPieceTokenizer(options)
    for i, text in ipairs(ref.texts) do is(list(t:encode(text)), list(ref[name][i]), "WordPiece " .. name .. ": ids of text " .. i) end
end
local wp = data.WordPieceTokenizer(sample, {vocab_size = 600, min_frequency = 1})
ok(wp.vocab_size <= 600 and wp.vocab_size > 300, "WordPiece: learns a vocabulary of its own")
is(list{wp.padding_id, wp.unknown_id, wp.start_id, wp.end_id, wp.mask_id}, "0 1 2 3 4", "BERT's special tokens come first")
local pieces = wp:tokens("Before we proceed")
ok(table.concat(pieces):gsub("##", "") == "beforeweproceed", "pieces of known letters make the word again: " .. table.concat(pieces, " "))
is(table.concat(wp:tokens("人工智能"), " "), "人 工 智 能", "ideographs are words of their own")
is(list(wp:encode("we", {add_special = true})), "2 " .. wp:id("we") .. " 3", "start and end")
is(list(wp:encode("[MASK]", {read_special = true})), "4", "special tokens are read when asked for"); ok(#wp:encode("[MASK]") > 1, "and are text when not")
is(list(wp:encode("we we we we", {add_special = true, max_length = 3})), "2 " .. wp:id("we") .. " 3", "max_length keeps the end token")
is(wp:encode(("x"):rep(101))[1], wp.unknown_id, "a word beyond max_word_length is unknown")
is(wp:decode(wp:encode("we, the (people)!")), "we, the (people)!", "marks join their words again")

-- words and characters
local words = data.WordTokenizer({"b a a", "a b c 神经"}, {vocab_size = 5})
is(table.concat(words.vocabulary, ","), "[PAD],[UNK],a,b,c", "the most frequent words first, equal ones by their bytes")
is(list(words:encode("A, c!")), "2 1 4 1", "words: small letters, unknown ones")
is(#data.WordTokenizer("a, b", {punctuation = false}).vocabulary, 4, "words: without punctuation")
is(data.WordTokenizer("Ångström", {strip_accents = true}).vocabulary[3], "angstrom", "words: without accents")
is(#data.WordTokenizer("a a b", {min_frequency = 2}).vocabulary, 3, "words: rare ones left out")
local points = data.CodePointTokenizer(sample)
is(points:decode(points:encode(sample)), sample, "characters: the sample comes back")
local sorted = true
for i = 2, #points.vocabulary do sorted = sorted and utf8.codepoint(points.vocabulary[i - 1]) < utf8.codepoint(points.vocabulary[i]) end
ok(sorted, "characters: in the order of Unicode")
is(data.CodePointTokenizer("ab\0a", {unknown = "?"}):decode(data.CodePointTokenizer("ab\0a", {unknown = "?"}):encode("a\0x")), "a\0", "a zero byte is a character")
is(#data.CodePointTokenizer({"aab", "cab"}, {vocab_size = 2}).vocabulary, 2, "characters: the most frequent ones")

-- batches
local x, mask = words:encode_batch({"a b c", "a"}, {length = 4})
is(list(x[1]) .. "|" .. list(x[2]), "2 3 4 0|2 0 0 0", "a batch is filled behind"); is(list(mask[1]) .. "|" .. list(mask[2]), "1 1 1 0|1 0 0 0", "and has a mask")
x, mask = words:encode_batch({"a b c", "a"}, {padding = "pre"})
is(list(x[2]) .. "|" .. list(mask[2]), "0 0 2|0 0 1", "or in front"); is(#words:encode_batch({"a b c", "a"}, {max_length = 2})[1], 2, "or is cut")
is(table.concat(words:decode(x), "|"), "a b c|a", "decode of a batch leaves the filling out")
is(words:decode(x[2], {skip_special = false}), "[PAD][PAD] a", "or shows it")

-- files and models
local path = os.tmpname()
for _, t in ipairs{bpe, wp, words, points} do
    t:save(path)
    local u = data.load_tokenizer(path)
    is(table.concat(u.vocabulary, "\1"), table.concat(t.vocabulary, "\1"), t.kind .. ": the vocabulary after saving and loading")
    if t ~= words then is(list(u:encode(sample)), list(t:encode(sample)), t.kind .. ": and the same ids") end
    local before = read(path); u:save(path); is(read(path), before, t.kind .. ": and the same bytes again")
end
is(data.load_tokenizer(path).kind, "code_point", "the kind comes with the file")

-- bad input
fails(function() bpe:encode("ab\xff") end, "byte 3 (FF) is not UTF-8", "malformed UTF-8 is refused with its place", "data")
fails(function() data.WordTokenizer({"a", "b\xc3"}) end, "text 2: byte 2", "and in a list with the text", "data")
fails(function() data.WordTokenizer("") end, "no text", "nothing to learn from", "data"); fails(function() data.WordTokenizer():train{text = {}} end, "no text", "no texts")
fails(function() data.WordTokenizer({"a", 5}) end, "text 2 is the number 5", "a text that is a number", "arg"); fails(function() data.WordTokenizer(5) end, "wants a text", "a number", "arg")
fails(function() data.WordTokenizer():encode("a") end, "no vocabulary yet", "encode before train", "state"); fails(function() words:train("a") end, "has a vocabulary already", "train twice", "state")
fails(function() points:encode("☃") end, "U+2603", "a character that is not known", "data")
fails(function() words:decode{0, 5} end, "token id 5 at place 2 is not in 0 ... 4", "an id outside the vocabulary", "data"); fails(function() words:decode{-1} end, "token id -1", "a negative id", "data")
fails(function() words:decode("a") end, "decode", "decode of a text"); fails(function() words:token(5) end, "0 ... 4", "token of an id outside", "arg"); fails(function() words:encode(5) end, "wants a text, got the number 5", "encode of a number")
fails(function() data.BytePairTokenizer("abc", {vocab_size = 100}) end, "at least 257", "fewer tokens than bytes", "arg"); fails(function() data.BytePairTokenizer{vocabulary = {"a"}} end, "every byte", "a vocabulary without all bytes", "data")
fails(function() data.WordPieceTokenizer{vocabulary = {"a", "b", "a"}} end, "entry 3", "an entry twice", "data"); fails(function() data.WordPieceTokenizer{vocabulary = {"a"}} end, "[UNK]", "no unknown token", "data"); fails(function() data.WordPieceTokenizer{vocabulary = {"[UNK]", ""}} end, "entry 2 of the vocabulary is empty", "an empty entry", "data")
fails(function() data.WordTokenizer("a", {padding = "[UNK]"}) end, "two special tokens are the same", "special tokens that are one", "arg"); fails(function() data.WordTokenizer("a", {vocab_sise = 3}) end, 'did you mean "vocab_size"', "a mistyped argument", "arg")
fails(function() data.BytePairTokeniser() end, "did you mean data.BytePairTokenizer", "a mistyped name", "name"); fails(function() data.load_tokenizer("/nowhere") end, "/nowhere", "a file that is not there", "io")
local function lie(json, text, name)
    local file = assert(io.open(path, "wb")); file:write(json); file:close()
    fails(function() data.load_tokenizer(path) end, text, name, "data")
end
lie("", "line 1", "an empty file"); lie("[]", "no tokeniser that hebb wrote", "another JSON"); lie('{"format":2,"tokenizer":"word"}', "format 1", "a later format")
lie('{"format":1,"tokenizer":"wrod"}', 'did you mean "word"', "an unknown kind"); lie('{"format":1,"tokenizer":"word"}', '"args" are missing', "no arguments")
lie('{"format":1,"tokenizer":"word","args":{"x":"1"}}', 'no argument of word', "an unknown argument"); lie('{"format":1,"tokenizer":"word","args":{"vocab_size":"0"}}', "vocab_size", "an argument out of range")
lie('{"format":1,"tokenizer":"word","args":{},"vocabulary":[]}', "empty", "no entries"); lie('{"format":1,"tokenizer":"word","args":{},"vocabulary":["a",3]}', "entry 2 of the vocabulary is no text", "an entry that is a number"); lie('{"format":1,"tokenizer":"word","args":{},"vocabulary":["a","a"]}', "entry 2", "an entry twice in a file")
lie('{"format":1,"tokenizer":"word","args":{},"vocabulary":["a"],"merges":[[0,0,0]]}', "has no merges", "merges where none belong"); lie('{"format":1,"tokenizer":"byte_pair","args":{},"vocabulary":["日"]}', "stands for no byte", "a character outside the alphabet")
bpe:save(path)
local good = read(path)
lie(good:gsub('"merges":%[%[%d+', '"merges":[[9999', 1), "merge 1 names token 9999", "a merge of a token that is not there"); lie(good:gsub('"merges":%[%[%d+,', '"merges":[[5,', 1), "merge 1: token", "a merge that does not make its token"); lie(good:gsub('"merges":%[%[%d+', '"merges":[["a"', 1), "not three token ids", "a merge of texts")
lie(good:sub(1, #good // 2), "line 1", "half a file")
os.remove(path)
tap.done()
