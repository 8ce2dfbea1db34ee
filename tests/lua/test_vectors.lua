-- SPDX-License-Identifier: MIT
-- TextVectorization against Keras, BLEU against nltk, beam search against trying everything, buckets.
local tap = dofile("tests/lua/tap.lua")
local ok, is, near, fails = tap.ok, tap.is, tap.near, tap.fails
local ref = dofile("tests/fixtures/text/vectors.lua")
local function list(t, form) local out = {}; for i = 1, #t do out[i] = (form or "%g"):format(t[i]) end; return table.concat(out, " ") end

for i, case in ipairs(ref.cases) do
    local v = nn.TextVectorization(case.args):adapt(ref.texts)
    is(table.concat(v:get_vocabulary(), "|"), table.concat(case.vocabulary, "|"), "the vocabulary as Keras's, case " .. i)
    local rows, worst = v(ref.others):totable(), 0
    is(#rows, #case.rows, "as many rows, case " .. i)
    for r, row in ipairs(case.rows) do worst = math.max(worst, tap.worst(rows[r], row)) end
    near(worst, 0, "and what stands in them, case " .. i, 1e-5)
end
local given = nn.TextVectorization{vocabulary = {"yes", "no"}}
is(list(given("No, yes; maybe")[1]), "3 2 1", "a vocabulary that is given"); is(given:vocabulary_size(), 4, "with two special tokens"); is(given("a").dtype, "int32", "ids are whole numbers")
is(list(nn.TextVectorization{vocabulary = {"", "[UNK]", "x"}}("x y")[1]), "2 1", "or that has them already")
local own = nn.TextVectorization{standardize = function(t) return t:upper() end, split = function(t) local out = {}; for w in t:gmatch("[^,]+") do out[#out + 1] = w end; return out end}
own:adapt{"a,b", "b"}; is(table.concat(own:get_vocabulary(), "|"), "|[UNK]|B|A", "functions of one's own")
fails(function() nn.TextVectorization()("a") end, "no vocabulary yet", "before adapt"); fails(function() nn.TextVectorization():adapt{} end, "an empty one", "no texts"); fails(function() nn.TextVectorization():adapt{3} end, "wants texts", "numbers")
fails(function() nn.TextVectorization{output_mode = "onehot"} end, "multi_hot", "an unknown mode"); fails(function() nn.TextVectorization{max_token = 3} end, "max_token", "a mistyped argument"); fails(function() nn.TextVectorization{max_tokens = 2} end, "above 2", "no room for words")
fails(function() nn.TextVectorization{output_mode = "count", output_sequence_length = 3} end, "belongs to output_mode", "a length where there is none"); fails(function() nn.TextVectorization{vocabulary = {"a", "a"}} end, "twice", "a token twice"); fails(function() nn.TextVectorization{ngrams = 0} end, "ngrams", "groups of no words")

for i, case in ipairs(ref.bleu) do near(nn.bleu(case[1], case[2], {max_order = case[3]}), case[4], "BLEU as nltk's, case " .. i, 1e-8) end
local all, shares, brevity = nn.bleu({"a b c d e"}, {"a b c d e"}); near(all, 1, "the same text", 1e-12); is(brevity, 1, "is not too short"); is(shares[4], 1, "and every group stands there")
is(nn.bleu({"x y"}, {"a b"}), 0, "nothing in common"); is(nn.bleu({{}}, {{"a"}}), 0, "no words")
near(nn.bleu({{"a", "b", "c", "d"}}, {{"a", "b", "c", "d"}}), 1, "lists of words", 1e-12)
fails(function() nn.bleu({"a"}, {}) end, "as many references", "fewer references"); fails(function() nn.bleu({5}, {"a"}) end, "texts or lists", "a number"); fails(function() nn.bleu("a", "b") end, "two lists", "no lists")

-- a language of three tokens whose first step misleads: the likeliest first token leads to unlikely ones
local table_of = {[0] = {0.5, 0.4, 0.1}, {0.34, 0.33, 0.33}, {0.05, 0.9, 0.05}}
local function scores(lists)
    local rows = {}
    for i, ids in ipairs(lists) do
        local last, row = #ids == 1 and 0 or ids[#ids] == 0 and 1 or 2, {}
        for k = 1, 3 do row[k] = math.log(table_of[last][k]) end
        rows[i] = row
    end
    return tensor(rows)
end
local greedy = nn.beam_search(scores, {7}, {width = 1, steps = 2}); is(list(greedy), "7 0 0", "a beam of one is greedy")
local best, log_probability, beam = nn.beam_search(scores, {7}, {width = 3, steps = 2})
is(list(best), "7 1 1", "a wider one finds the likelier text"); near(log_probability, math.log(0.4 * 0.9), "with its probability", 1e-5); is(#beam, 3, "and what else is left")
ok(beam[1].score >= beam[2].score and beam[2].score >= beam[3].score, "the best first")
best = nn.beam_search(scores, {7}, {width = 3, steps = 5, end_id = 2}); ok(#best <= 6, "an end ends it"); is(list((nn.beam_search(scores, {7}, {width = 3, steps = 2}))), "7 1 1", "the same every time")
fails(function() nn.beam_search(5, {1}) end, "wants a function", "no function"); fails(function() nn.beam_search(scores, {}) end, "to begin with", "no beginning"); fails(function() nn.beam_search(scores, {1}, {width = 0}) end, "width", "no beam")
fails(function() nn.beam_search(function() return tensor{1, 2} end, {1}) end, "logits [lists, tokens] are wanted", "scores of another shape")

local buckets = data.bucket_by_length({{1}, {1, 2, 3}, {2}, {1, 2, 3, 4, 5}}, {boundaries = {2, 4}})
is(#buckets, 3, "three buckets"); is(table.concat(buckets[1].rows, " "), "1 3", "the short ones"); is(list(buckets[2].x[1]), "1 2 3", "nothing is filled"); is(buckets[3].length, 5, "and the longer ones")
is(#data.bucket_by_length({{1}, {2}}), 1, "empty buckets are left out"); fails(function() data.bucket_by_length({{1}}, {boundaries = {3, 2}}) end, "rise", "boundaries that fall"); fails(function() data.bucket_by_length(3) end, "list of sequences", "no list")
fails(function() nn.TextVectorization{split = "word"} end, "split must be one of whitespace, character or a function", "an unknown split", "arg")
fails(function() nn.bleu({"a"}, {5}) end, "as reference 1, got the number 5", "a reference that is no text", "arg"); fails(function() nn.bleu({"a"}, {{}}) end, "as reference 1", "no reference")
fails(function() nn.beam_search(print, {1}) end, "scores gave nothing", "scores of nothing", "arg"); fails(function() data.impute({{1}}, {fill_value = "x"}) end, "fill_value must be a number", "a text to fill with", "arg")
fails(function() data.bucket_by_length({1}) end, "number 1 is the number 1", "a number for a sequence", "arg"); fails(function() data.bucket_by_length({{1}}, {boundaries = 3}) end, "boundaries must be a table", "a single boundary", "arg")
tap.done()
