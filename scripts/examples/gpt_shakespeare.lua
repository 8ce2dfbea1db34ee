-- A small GPT writes Shakespeare: transformer blocks that see the 64 characters before.
-- hebb scripts/examples/gpt_shakespeare.lua [--quick] [FOLDER]       FOLDER holds text/tinyshakespeare.txt
local example = dofile(hebb.resource("scripts/examples/common.lua"))

text = example.text("text/tinyshakespeare.txt")
characters = data.CodePointTokenizer(text)
ids = characters:encode(text)
border = math.floor(0.9 * #ids)                                 -- the last tenth is kept for validation

-- Pieces of 64 characters, and the same moved on by one: at each place the next character is the target. So many pieces overlap in the
-- training part that one pass over them is 2,000 steps of 12.
length, steps, batch = 64, example.pick(2000, 300), 12
local function pieces(part, stride) return data.windows(part, {length = length, horizon = length, stride = stride, gap = 1 - length}) end
x, y = pieces(ids:slice(1, border), border // (steps * batch))
val_x, val_y = pieces(ids:slice(border + 1, example.pick(#ids, math.min(#ids, border + 8000))), length)

-- nanoGPT's size for a laptop. Token vectors are the output's weights too; each block looks back, never ahead.
model = nn.applications.GPT{vocabulary = characters.vocab_size, length = length, layers = example.pick(4, 2), heads = 4,
                            width = example.pick(128, 64), dropout = 0}
model.tokenizer = characters                                    -- saved with the model
model:summary()

rate = nn.CosineDecay(0, steps - steps // 20, {alpha = 0.1, warmup_target = 0.001, warmup_steps = steps // 20})
model:compile{optimizer = nn.AdamW{learning_rate = rate, beta_2 = 0.99, weight_decay = 0.1, global_clipnorm = 1},
              loss = nn.SparseCategoricalCrossentropy{from_logits = true}, metrics = {"accuracy"}}
run = model:fit(x, y, {batch_size = batch, validation_data = {val_x, val_y}})

-- Write: the network sees the last 64 characters; one of the ten likeliest that may follow is drawn.
local function write(start, n)
    local seen = characters:encode(start):totable()
    for step = 1, n do
        local window = {table.unpack(seen, math.max(1, #seen - length + 1))}
        local row = data.pad_sequences({window}, {maxlen = length, padding = "post"})
        seen[#seen + 1] = nn.sample(model:predict(row)[1][#window], {temperature = 0.8, top_k = 10})
    end
    return characters:decode(seen)
end
print(write("The ", example.pick(500, 60)))

example.report("validation loss, nats for each character", ("%.4f"):format(run.history.val_loss[1]),
               "1.88 after 2,000 steps of this size, about 3 minutes on a laptop's CPU (karpathy/nanoGPT, README.md)")
