-- Names: which letter follows which? First by the letter before alone, then by three letters, after makemore.
-- hebb scripts/examples/names.lua [--quick]
local example = dofile(hebb.resource("scripts/examples/common.lua"))

names = data.lines(hebb.resource("data/names.txt.gz"))
for i = #names, 2, -1 do local j = math.random(i); names[i], names[j] = names[j], names[i] end
print(("%d names: %s, %s, %s, ..."):format(#names, names[1], names[2], names[3]))

-- Token 0 is the dot that begins and ends a name; 1 ... 26 are the letters. Each letter is a target, with the `context` tokens before it.
local function examples(first, last, context)
    local x, y = {}, {}
    for n = first, last do
        local before = {}
        for i = 1, context do before[i] = 0 end
        for letter in (names[n] .. "."):gmatch(".") do
            local id = letter == "." and 0 or letter:byte() - 96
            table.move(before, 1, context, #x + 1, x)
            y[#y + 1] = id
            table.remove(before, 1)
            before[context] = id
        end
    end
    return tensor(x, "int32"):reshape{-1, context}, tensor(y, "int32")
end
border = #names * 9 // 10                                       -- a tenth of the names is kept for validation

local function train(layers, context, epochs, rate)
    local x, y = examples(1, border, context)
    local val_x, val_y = examples(border + 1, #names, context)
    local model = nn.Sequential(layers)
    local steps = epochs * #x // 64
    model:compile{optimizer = nn.Adam{learning_rate = nn.CosineDecay(rate, steps)}, loss = nn.SparseCategoricalCrossentropy{from_logits = true}}
    model:fit(x, y, {epochs = epochs, batch_size = 64, verbose = 0})
    local loss = model:evaluate(val_x, val_y).loss
    print(("%6d parameters: %.4f in training, %.4f on names kept apart"):format(model:count_params(), model:evaluate(x, y).loss, loss))
    return model, loss
end

-- One table of 27 x 27 scores: row = the letter before, column = the letter that follows.
pairs_model, pairs_loss = train({nn.Embedding(27, 27, {input_shape = {1}}), nn.Flatten()}, 1, example.pick(5, 1), 0.02)

-- Three letters as vectors of ten numbers, and a hidden layer that looks at all thirty.
model, loss = train({nn.Embedding(27, 10, {embeddings_initializer = "random_normal(stddev=1)", input_shape = {3}}), nn.Flatten(),
                     nn.Dense(200, {use_bias = false}), nn.BatchNormalization(),
                     nn.Activation("tanh"), nn.Dense(27)}, 3, example.pick(20, 2), 0.002)

-- Names that nobody bears, perhaps: letters drawn by their probability until the dot comes.
for n = 1, 8 do
    local name, seen = "", {0, 0, 0}
    repeat
        local id = nn.sample(model:predict(tensor({{table.unpack(seen, #seen - 2)}}, "int32"))[1])
        seen[#seen + 1] = id
        name = name .. (id > 0 and string.char(96 + id) or "")
    until id == 0 or #name == 20
    print(name)
end
example.report("negative log likelihood of names kept apart, one letter, three letters:", ("%.4f, %.4f"):format(pairs_loss, loss),
               "2.4765 by counting pairs (all names); 2.1048 with three letters, 200 units and batch normalization (makemore, parts 1 and 3)")
