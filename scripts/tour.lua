-- The tour: a small convolutional network learns the digits of thirty people, and is then asked about thirteen others.
-- Run it with `make run`, `hebb -i scripts/tour.lua`, or tour() at the prompt.

digits = data.digits()                       -- 3,823 images of 8 x 8 pixels; digits.test holds 1,797 of other writers

model = nn.Sequential()
model:add(nn.Rescaling(1/16, {input_shape = {8, 8, 1}}))
model:add(nn.Conv2D(32, 3, {padding = "same", use_bias = false}))
model:add(nn.BatchNormalization())
model:add(nn.Activation("relu"))
model:add(nn.Conv2D(64, 3, {padding = "same", use_bias = false}))
model:add(nn.BatchNormalization())
model:add(nn.Activation("relu"))
model:add(nn.MaxPooling2D(2))
model:add(nn.Flatten())
model:add(nn.Dropout(0.5))
model:add(nn.Dense(10, "softmax"))

-- The learning rate falls along half a cosine to zero: 15 epochs of 108 steps.
model:compile{optimizer = nn.Adam{learning_rate = nn.CosineDecay(0.002, 15 * 108)},
              loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}

-- The last tenth of the rows is kept for validation; digits.test is not looked at before the end.
run = model:fit(digits.x, digits.y, {epochs = 15, batch_size = 32, validation_split = 0.1, wait = false})

if hebb.prompt then
  print [[
What you see was made by these lines (all of them: scripts/tour.lua):
  digits = data.digits()
  model = nn.Sequential()
  model:add(nn.Conv2D(32, 3, {input_shape = {8, 8, 1}}))      -- and ten more layers
  model:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
  run = model:fit(digits.x, digits.y, {epochs = 15, validation_split = 0.1})
Your turn, while it trains: run:pause()  run:step(1)  run:resume()  run.learning_rate = 1e-3  run:rewind(2)
When it has ended: model:evaluate(digits.test.x, digits.test.y).  ?run explains; Tab completes.]]
else
  run:wait()
  print(model:confusion(digits.test.x, digits.test.y))
  print(("test accuracy on 13 other writers: %.2f %%"):format(100 * model:evaluate(digits.test.x, digits.test.y).accuracy))
end
