-- A network that writes Shakespeare letter by letter: two LSTM layers learn which character comes next.
-- hebb scripts/examples/char_lstm.lua [--quick] [FOLDER]       FOLDER holds text/tinyshakespeare.txt
local example = dofile(hebb.resource("scripts/examples/common.lua"))

text = example.text("text/tinyshakespeare.txt")
cut = example.pick(#text, math.min(#text, 200000))
text = text:sub(1, cut)

-- Every character that occurs gets a number. Pieces of 50 characters; the target of each place is the character behind it.
characters = data.CodePointTokenizer(text)
length = 50
x, y = data.windows(characters:encode(text), {length = length, horizon = length, stride = length, gap = 1 - length})
train, val = data.arrays(x, y):split{fraction = 0.05}           -- every twentieth piece, drawn, is kept for validation

model = nn.Sequential()
model:add(nn.Embedding(characters.vocab_size, 64, {input_shape = {length}}))
model:add(nn.LSTM(128, {return_sequences = true}))
model:add(nn.LSTM(128, {return_sequences = true}))
model:add(nn.Dense(characters.vocab_size))
model.tokenizer = characters                                    -- saved with the model
model:summary()

model:compile{optimizer = nn.RMSprop{learning_rate = example.pick(0.002, 0.01), rho = 0.95, clipvalue = 5},
              loss = nn.SparseCategoricalCrossentropy{from_logits = true}, metrics = {"accuracy"}}
run = model:fit(train, {epochs = example.pick(30, 2), batch_size = 50, validation_data = val})

-- Write: draw a character by its probability, append it, go on. A lower temperature dares less.
local function write(start, n, temperature)
    local seen = characters:encode(start):totable()
    for step = 1, n do
        local window = {table.unpack(seen, math.max(1, #seen - length + 1))}
        local row = data.pad_sequences({window}, {maxlen = length, padding = "post"})
        seen[#seen + 1] = nn.sample(model:predict(row)[1][#window], {temperature = temperature})
    end
    return characters:decode(seen)
end
print(write("The ", example.pick(400, 60), 0.7))

loss = run.history.val_loss
example.report("validation loss, nats for each character", ("%.4f"):format(loss[#loss]),
               "2.0681 after 0.95 epochs, 1.3950 at epoch 30, in names of files in karpathy/char-rnn's Readme.md; sizes there are not told")
