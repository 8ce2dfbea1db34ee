-- Learn the language first, the task later: one encoder is trained to guess hidden words, one decoder to guess the next; then it is seen
-- what that is worth in a task for which there are few examples.
-- hebb scripts/examples/pretraining.lua [--quick] [FOLDER]       FOLDER holds text/rt-polarity.pos and text/rt-polarity.neg
local example = dofile(hebb.resource("scripts/examples/common.lua"))

texts, labels = example.reviews(example.pick(5331, 700))        -- a sentence, and 1 for praise or 0 for blame
for i = #texts, 2, -1 do
    local j = math.random(i)
    texts[i], texts[j], labels[i], labels[j] = texts[j], texts[i], labels[j], labels[i]
end

-- All sentences without their marks teach the language, but for a fifth that is the test; one in ten of them keeps its mark for the task.
border = #texts * 4 // 5
few = border // 10
pieces = data.WordPieceTokenizer({table.unpack(texts, 1, border)}, {vocab_size = example.pick(6000, 1000)})
length, width = 32, example.pick(96, 48)
ids = pieces:encode_batch(texts, {length = length, max_length = length, add_special = true})
known, test = ids:slice(1, border), ids:slice(border + 1, #texts)
test_y = tensor(labels):slice(border + 1, #texts):reshape{-1, 1}
task_x, task_y = ids:slice(1, few), tensor(labels):slice(1, few):reshape{-1, 1}
print(("%d sentences for the language, %d with a mark, %d to be judged, %d tokens"):format(border, few, #test, pieces.vocab_size))

-- The body of both: vectors of tokens and places, then blocks. Each block of the encoder looks both ways, of the decoder back only.
local function body(block)
    local tokens = nn.Input({length}, {dtype = "int32"})
    local y = nn.TokenAndPositionEmbedding(pieces.vocab_size, length, width, {mask_zero = true, name = "embedding"})(tokens)
    for i = 1, 2 do y = block(4 * width, 4, {dropout = 0.1, activation = "gelu", normalize_first = true, name = "block_" .. i})(y) end
    return tokens, y
end
local function language_model(block)
    local tokens, y = body(block)
    local model = nn.Model(tokens, nn.Dense(pieces.vocab_size, {name = "next"})(y))
    -- 0 is the filling, and what is not asked: it does not count.
    model:compile{optimizer = nn.AdamW{learning_rate = example.pick(0.001, 0.003)}, loss = nn.SparseCategoricalCrossentropy{from_logits = true, ignore_class = 0}}
    return model, tokens, y
end

-- The task: the mean of the body's vectors, one answer. A body that a language model has trained brings what it has learnt.
local function judge(tokens, y)
    local model = nn.Model(tokens, nn.Dense(1, {activation = "sigmoid", name = "answer"})(nn.Dropout(0.3)(nn.GlobalAveragePooling1D()(y))))
    model:compile{optimizer = nn.AdamW{learning_rate = 0.0005}, loss = "binary_crossentropy", metrics = {"accuracy"}}
    model:fit(task_x, task_y, {epochs = example.pick(8, 4), batch_size = 32, verbose = 0})
    return model:evaluate(test, test_y).accuracy
end

-- Masked: some words are hidden, others every time, and are to be guessed from both sides.
epochs = example.pick(6, 4)
masked, masked_tokens, masked_body = language_model(nn.TransformerEncoder)
for epoch = 1, epochs do
    local x, y, chosen = data.mask_tokens(known, pieces, {step = epoch})
    run = masked:fit(x, (y:to("float32") * chosen):to("int32"), {batch_size = example.pick(64, 32), verbose = 0})
end
print(("masked: hidden words cost %.3f nats, %.3f for all %d tokens alike"):format(run.history.loss[1], math.log(pieces.vocab_size), pieces.vocab_size))

-- Causal: at each place the target is the token behind it.
causal, causal_tokens, causal_body = language_model(nn.TransformerDecoder)
next_tokens = op.concat(known:slice(2, length, {axis = 1}), tensor.zeros({#known, 1}, {dtype = "int32"}), {axis = 1})
run = causal:fit(known, next_tokens, {epochs = epochs, batch_size = example.pick(64, 32), verbose = 0})
print(("causal: the next token costs %.3f nats"):format(run.history.loss[epochs]))

-- The same task three times: from nothing, and with each body.
nothing, from_masked, from_causal = judge(body(nn.TransformerEncoder)), judge(masked_tokens, masked_body), judge(causal_tokens, causal_body)
share = run.history.loss[epochs] / math.log(pieces.vocab_size)
example.report(("accuracy with %d marked sentences from nothing, causal, masked; cost of the next token beside guessing:"):format(few),
               ("%s, %s, %s; %s"):format(example.percent(nothing), example.percent(from_causal), example.percent(from_masked), example.percent(share)),
               "none for this set and size; BERT took the same two steps on 3.3 billion words (Devlin et al. 2019)")
