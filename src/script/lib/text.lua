-- SPDX-License-Identifier: MIT
-- Texts as numbers in Keras's manner, the likeliest continuation, and how good a translation is.

local what, _, refuse, options = ...

local Vectorizer = {}
Vectorizer.__index = Vectorizer
Vectorizer.__name = "nn.TextVectorization"

--- nn.TextVectorization{max_tokens = nil, standardize = "lower_and_strip_punctuation", split = "whitespace", ngrams = nil, output_mode = "int",
--- output_sequence_length = nil, vocabulary = nil}: words of texts as numbers, as Keras's layer of this name. v:adapt(texts) learns the vocabulary
--- from the training texts, the most frequent first; v(texts) gives rows: output_mode "int" ids [n, length] int32 (0 fills, 1 is unknown),
--- "multi_hot", "count" and "tf_idf" [n, vocabulary] float32 (0 is unknown). standardize: "lower", "strip_punctuation", both, "none" or a
--- function(text) -> text; split: "whitespace", "character" or a function(text) -> list. v:get_vocabulary(), v:vocabulary_size().
--- Texts are no tensors, so it stands before a model, not in it.
function nn.TextVectorization(given)
    local o = options("nn.TextVectorization", given,
        {standardize = "lower_and_strip_punctuation", split = "whitespace", output_mode = "int"},
        {max_tokens = "count", ngrams = "count", output_sequence_length = "count", vocabulary = "table",
         standardize = {"lower_and_strip_punctuation", "lower", "strip_punctuation", "none", functions = true}, split = {"whitespace", "character", functions = true},
         output_mode = {"int", "multi_hot", "count", "tf_idf"}})
    if o.output_sequence_length and o.output_mode ~= "int" then
        refuse("nn.TextVectorization: output_sequence_length belongs to output_mode \"int\"; \"%s\" has a row as long as the vocabulary", o.output_mode)
    end
    local least = o.output_mode == "int" and 2 or 1
    if o.max_tokens and o.max_tokens <= least then refuse("nn.TextVectorization: max_tokens counts the special tokens too, so it must be above %d", least) end
    local self = setmetatable({options = o}, Vectorizer)
    if o.vocabulary then
        if o.output_mode == "tf_idf" then refuse("nn.TextVectorization: \"tf_idf\" wants texts to learn from: adapt(texts)") end
        self:set_vocabulary(o.vocabulary)
    end
    return self
end

function Vectorizer:tokens_of(text)
    local o, out = self.options, {}
    if type(text) ~= "string" then refuse("nn.TextVectorization wants texts, got %s", type(text)) end
    if type(o.standardize) == "function" then text = o.standardize(text)
    else
        if o.standardize:find("lower", 1, true) then text = text:lower() end
        if o.standardize:find("strip", 1, true) then text = text:gsub("[!\"#$%%&()*+,%-./:;<=>?@%[\\%]^_`{|}~']", "") end
    end
    local words = {}
    if type(o.split) == "function" then words = o.split(text)
    elseif o.split == "character" then for _, code in utf8.codes(text) do words[#words + 1] = utf8.char(code) end
    else for word in text:gmatch("%S+") do words[#words + 1] = word end end
    for width = 1, o.ngrams or 1 do
        for first = 1, #words - width + 1 do out[#out + 1] = table.concat(words, " ", first, first + width - 1) end
    end
    return out
end

-- Ids by token; `vocabulary` without the special ones.
function Vectorizer:set_vocabulary(vocabulary)
    local special = self.options.output_mode == "int" and {"", "[UNK]"} or {"[UNK]"}
    local all, ids, skip = {}, {}, {}
    for i, token in ipairs(special) do all[i], skip[token] = token, i end
    for i, token in ipairs(vocabulary) do
        if type(token) ~= "string" then refuse("nn.TextVectorization: entry %d of the vocabulary is no text", i) end
        if skip[token] ~= i then
            if ids[token] then refuse("nn.TextVectorization: entry %d of the vocabulary, %q, stands there twice", i, token) end
            ids[token] = #all
            all[#all + 1] = token
        end
    end
    self.all, self.ids, self.unknown = all, ids, #special - 1
end

-- Learn the vocabulary from a list of texts; gives the vectorizer. Of equally frequent words the later in the alphabet comes first, as Keras has it.
function Vectorizer:adapt(texts)
    if type(texts) == "string" then texts = {texts} end
    if type(texts) ~= "table" or #texts == 0 then refuse("nn.TextVectorization: adapt wants a list of texts, got %s", type(texts) == "table" and "an empty one" or type(texts)) end
    local counts, texts_with, words = {}, {}, {}
    for _, text in ipairs(texts) do
        local here = {}
        for _, token in ipairs(self:tokens_of(text)) do
            if not counts[token] then counts[token], texts_with[token], words[#words + 1] = 0, 0, token end
            counts[token] = counts[token] + 1
            if not here[token] then here[token], texts_with[token] = true, texts_with[token] + 1 end
        end
    end
    table.sort(words, function(a, b) if counts[a] ~= counts[b] then return counts[a] > counts[b] end return a > b end)
    local most = self.options.max_tokens
    for i = #words, most and most - (self.options.output_mode == "int" and 2 or 1) + 1 or #words + 1, -1 do words[i] = nil end
    self:set_vocabulary(words)
    self.idf, self.idf_mean = {}, 0
    for i, token in ipairs(words) do
        self.idf[token] = math.log(1 + #texts / (1 + texts_with[token]))
        self.idf_mean = self.idf_mean + (self.idf[token] - self.idf_mean) / i
    end
    return self
end

function Vectorizer:get_vocabulary() return {table.unpack(self.all or {})} end
function Vectorizer:vocabulary_size() return #(self.all or {}) end

function Vectorizer:__tostring() return "nn.TextVectorization: " .. (self.all and #self.all .. " tokens" or "no vocabulary yet; adapt(texts) learns it") end

function Vectorizer:__call(texts)
    if not self.all then refuse("nn.TextVectorization has no vocabulary yet: adapt(texts) learns it from the training texts") end
    if type(texts) == "string" then texts = {texts} end
    if type(texts) ~= "table" or #texts == 0 then refuse("nn.TextVectorization wants a text or a list of texts") end
    local rows, o = {}, self.options
    for i, text in ipairs(texts) do
        local tokens, row = self:tokens_of(text), {}
        if o.output_mode == "int" then
            for k, token in ipairs(tokens) do row[k] = self.ids[token] or self.unknown end
        else
            for k = 1, #self.all do row[k] = 0.0 end
            for _, token in ipairs(tokens) do
                local at = (self.ids[token] or self.unknown) + 1
                local weight = o.output_mode == "tf_idf" and (self.idf[token] or self.idf_mean) or 1
                row[at] = o.output_mode == "multi_hot" and 1 or row[at] + weight
            end
        end
        rows[i] = row
    end
    if o.output_mode ~= "int" then return tensor(rows) end
    return data.pad_sequences(rows, {maxlen = o.output_sequence_length, padding = "post", truncating = "post"})
end

--- data.bucket_by_length(sequences, {boundaries = {10, 20, 40}, value = 0}): sequences of like length together, so that little is filled: a
--- list of buckets {x = rows [n, longest of the bucket], rows = their numbers in the list, length = …}; a bucket holds those of length below
--- its boundary, the last one all that are longer. Empty buckets are left out.
function data.bucket_by_length(sequences, given)
    local o = options("data.bucket_by_length", given, {boundaries = {10, 20, 40}, value = 0}, {boundaries = "table", value = "number"})
    if type(sequences) ~= "table" or #sequences == 0 then refuse("data.bucket_by_length wants a list of sequences") end
    for i, boundary in ipairs(o.boundaries) do
        if type(boundary) ~= "number" or (i > 1 and boundary <= o.boundaries[i - 1]) then refuse("data.bucket_by_length: boundaries rise, number %d does not", i) end
    end
    local buckets, out = {}, {}
    for row, sequence in ipairs(sequences) do
        if type(sequence) ~= "table" and type(sequence) ~= "userdata" then refuse("data.bucket_by_length wants a list of sequences, number %d is %s", row, what(sequence)) end
        local k = 1
        while o.boundaries[k] and #sequence >= o.boundaries[k] do k = k + 1 end
        buckets[k] = buckets[k] or {rows = {}, parts = {}, length = 0}
        local bucket = buckets[k]
        bucket.rows[#bucket.rows + 1], bucket.parts[#bucket.parts + 1] = row, sequence
        bucket.length = math.max(bucket.length, #sequence)
    end
    for k = 1, #o.boundaries + 1 do
        local bucket = buckets[k]
        if bucket then
            local x = data.pad_sequences(bucket.parts, {maxlen = math.max(1, bucket.length), padding = "post", value = o.value})
            out[#out + 1] = {x = x, rows = bucket.rows, length = bucket.length}
        end
    end
    return out
end

--- nn.beam_search(scores, start, {width = 4, steps = 20, end_id = nil, length_penalty = 0}): the likeliest continuation of a list of token ids.
--- scores(list of lists) gives logits [lists, tokens] of what comes next in each. Gives the ids, the logarithm of their probability, and all
--- that is left of the beam: {ids, log_probability, score}, the best first; score = log_probability / length ^ length_penalty.
function nn.beam_search(scores, start, given)
    local o = options("nn.beam_search", given, {width = 4, steps = 20, length_penalty = 0}, {length_penalty = "number", end_id = "number"})
    if type(scores) ~= "function" then refuse("nn.beam_search wants a function(list of lists) -> logits, got %s", type(scores)) end
    if type(start) ~= "table" or #start == 0 then refuse("nn.beam_search wants a list of token ids to begin with") end
    local beam, done = {{ids = {table.unpack(start)}, log_probability = 0}}, {}
    local function rate(one) one.score = one.log_probability / math.max(1, #one.ids - #start) ^ o.length_penalty; return one end
    local function better(a, b)
        if a.score ~= b.score then return a.score > b.score end
        return (a.order or 0) < (b.order or 0)
    end
    for _ = 1, o.steps do
        local lists, next_beam = {}, {}
        for i, one in ipairs(beam) do lists[i] = one.ids end
        local logits = scores(lists)
        if type(logits) ~= "userdata" then refuse("nn.beam_search: scores gave %s; logits [lists, tokens] are wanted", what(logits)) end
        if logits.rank ~= 2 or #logits ~= #lists then refuse("nn.beam_search: scores gave shape %s for %d lists; logits [lists, tokens] are wanted", tostring(logits.shape), #lists) end
        local values, ids = nn.top_k(op.log_softmax(logits), math.min(o.width, logits.shape[2]))
        for i, one in ipairs(beam) do
            for k = 1, values.shape[2] do
                local longer = {table.unpack(one.ids)}
                longer[#longer + 1] = ids[i][k]
                next_beam[#next_beam + 1] = rate{ids = longer, log_probability = one.log_probability + values[i][k], order = #next_beam}
            end
        end
        table.sort(next_beam, better)
        beam = {}
        for _, one in ipairs(next_beam) do
            local ended = one.ids[#one.ids] == o.end_id
            if ended and #beam < o.width then done[#done + 1] = one elseif not ended and #beam < o.width then beam[#beam + 1] = one end
        end
        table.sort(done, better)
        -- what is not ended can only become less likely: without a penalty nothing better comes
        if #beam == 0 or (o.length_penalty == 0 and done[1] and done[1].log_probability >= beam[1].log_probability) then break end
    end
    for _, one in ipairs(beam) do done[#done + 1] = one end
    for i, one in ipairs(done) do one.order = i end
    table.sort(done, better)
    for i = #done, o.width + 1, -1 do done[i] = nil end
    for _, one in ipairs(done) do one.order = nil end
    return done[1].ids, done[1].log_probability, done
end

local function grams(words, n)
    local out = {}
    for i = 1, #words - n + 1 do
        local gram = table.concat(words, "\0", i, i + n - 1)
        out[gram] = (out[gram] or 0) + 1
    end
    return out
end

--- nn.bleu(candidates, references, {max_order = 4}): corpus BLEU from 0 to 1, as nltk's corpus_bleu without smoothing: the geometric mean of the
--- shares of word groups of 1 to max_order words that stand in a reference too, times exp(1 - r / c) where the candidates' c words are
--- fewer than the r of the nearest references. A candidate is a text (its words are parted at spaces) or a list of words; references[i]
--- one such, or a list of them. Gives BLEU, the shares, and the factor for brevity. Source: Papineni et al. 2002.
function nn.bleu(candidates, references, given)
    local o = options("nn.bleu", given, {max_order = 4})
    if type(candidates) ~= "table" or type(references) ~= "table" or #candidates ~= #references or #candidates == 0 then
        refuse("nn.bleu wants as many references as candidates, two lists of equal length")
    end
    local function words_of(one)
        if type(one) == "table" then return one end
        if type(one) ~= "string" then refuse("nn.bleu wants texts or lists of words, got %s", type(one)) end
        local out = {}
        for word in one:gmatch("%S+") do out[#out + 1] = word end
        return out
    end
    local found, all, c, r = {}, {}, 0, 0
    for n = 1, o.max_order do found[n], all[n] = 0, 0 end
    for i, candidate in ipairs(candidates) do
        local words, several, near = words_of(candidate), references[i], nil
        if type(several) == "string" or type(several) == "table" and type(several[1]) == "string" and not several[1]:find("%s") then several = {several} end
        if type(several) ~= "table" or #several == 0 then refuse("nn.bleu wants a text, a list of words or a list of them as reference %d, got %s", i, what(references[i])) end
        local split = {}
        for k, one in ipairs(several) do split[k] = words_of(one) end
        several = split
        for _, one in ipairs(several) do
            local gap, best = math.abs(#one - #words), near and math.abs(near - #words)
            if not near or gap < best or (gap == best and #one < near) then near = #one end
        end
        c, r = c + #words, r + near
        for n = 1, o.max_order do
            local most = {}
            for _, one in ipairs(several) do for gram, times in pairs(grams(one, n)) do most[gram] = math.max(most[gram] or 0, times) end end
            for gram, times in pairs(grams(words, n)) do found[n] = found[n] + math.min(times, most[gram] or 0) end
            all[n] = all[n] + math.max(0, #words - n + 1)
        end
    end
    local sum, shares = 0, {}
    for n = 1, o.max_order do
        shares[n] = all[n] > 0 and found[n] / all[n] or 0
        sum = sum + math.log(shares[n]) / o.max_order
    end
    local brevity = c >= r and 1 or c > 0 and math.exp(1 - r / c) or 0
    return brevity * math.exp(sum), shares, brevity
end
