-- Praise or blame? A small encoder in BERT's manner, trained from nothing on sentences of film reviews.
-- hebb scripts/examples/polarity.lua [--quick] [FOLDER]       FOLDER holds text/rt-polarity.pos and text/rt-polarity.neg
local example = dofile(hebb.resource("scripts/examples/common.lua"))

texts, labels = example.reviews(example.pick(5331, 1500))       -- a sentence, and 1 for praise or 0 for blame

-- The vocabulary is that of the training part; a tenth of the sentences, drawn, is the test.
order = {}
for i = 1, #texts do order[i] = i end
for i = #order, 2, -1 do local j = math.random(i); order[i], order[j] = order[j], order[i] end
border = #order * 9 // 10
local function part(first, last)
    local sentences, marks = {}, {}
    for i = first, last do sentences[#sentences + 1], marks[#marks + 1] = texts[order[i]], labels[order[i]] end
    return sentences, tensor(marks):reshape{-1, 1}
end
train_text, train_y = part(1, border)
test_text, test_y = part(border + 1, #order)
words = data.WordTokenizer(train_text, {vocab_size = 10000, min_frequency = 2})
length = 40
x, test_x = words:encode_batch(train_text, {length = length, max_length = length}), words:encode_batch(test_text, {length = length, max_length = length})
print(("%d sentences to learn from, %d to be judged, %d words"):format(#x, #test_x, words.vocab_size))

-- Words as vectors, and where they stand; blocks in which every word looks at every other; the mean of what they have become.
-- Token 0 fills short rows: mask_zero keeps every layer from looking at it.
width = 64
tokens = nn.Input({length}, {dtype = "int32"})
y = nn.TokenAndPositionEmbedding(words.vocab_size, length, width, {mask_zero = true})(tokens)
y = nn.Dropout(0.3)(y)
for i = 1, 2 do y = nn.TransformerEncoder(4 * width, 4, {dropout = 0.3, activation = "gelu"})(y) end
y = nn.GlobalAveragePooling1D()(y)
model = nn.Model(tokens, nn.Dense(1, {activation = "sigmoid"})(nn.Dropout(0.3)(y)))
model.tokenizer = words                                         -- saved with the model

model:compile{optimizer = nn.AdamW{learning_rate = example.pick(0.0005, 0.001), weight_decay = 0.01}, loss = "binary_crossentropy", metrics = {"accuracy"}}
model:fit(x, train_y, {epochs = example.pick(6, 2), batch_size = 32, validation_split = 0.1})

for _, sentence in ipairs{"a moving and clever film .", "dull , tired and far too long ."} do
    print(("%.2f  %s"):format(model:predict((words:encode_batch({sentence}, {length = length})))[1][1], sentence))
end
example.report("accuracy on sentences kept apart", example.percent(model:evaluate(test_x, test_y).accuracy),
               "76.1 % by a convolutional network with word vectors from nothing, ten-fold (Kim 2014, table 2, CNN-rand); none for an encoder of this size")
