-- An autoencoder: 64 pixels through a neck of 8 numbers and back; nobody says what the 8 numbers are to mean.
-- hebb scripts/examples/autoencoder.lua [--quick]
local example = dofile(hebb.resource("scripts/examples/common.lua"))

digits = data.digits()
local function pixels(x) return (x:to("float32") / 16):reshape{-1, 64} end
x, test = pixels(digits.x), pixels(digits.test.x)

image = nn.Input({64})
code = nn.Dense(8, {name = "code"})(nn.Dense(32, {activation = "relu"})(image))
output = nn.Dense(64, {activation = "sigmoid"})(nn.Dense(32, {activation = "relu"})(code))
autoencoder = nn.Model(image, output)
encoder = nn.Model(image, code)                                 -- the same layers: what one learns the other knows

-- The target is the input.
autoencoder:compile{optimizer = nn.Adam{learning_rate = 0.003}, loss = "mse"}
run = autoencoder:fit(x, x, {epochs = example.pick(60, 20), batch_size = 64, validation_data = {test, test}, verbose = 0})

-- Three digits of the test part, and below what is left of them after the neck.
three = test:slice(1, 3)
example.draw(three); example.draw(autoencoder:predict(three))
print("code of the first: " .. tostring(encoder:predict(test)[1]))

-- To compare: the mean digit as the answer to everything.
mean = op.mean(x, {axis = 0})
naive = op.mean((test - mean) ^ 2):item()
left = autoencoder:evaluate(test, test).loss
print(("squared error: %.4f for the mean digit, %.4f for the autoencoder"):format(naive, left))
example.report("share of the mean digit's squared error that 8 numbers do away with, test part:", example.percent(1 - left / naive),
               "none for this set")
