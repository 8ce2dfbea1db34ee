-- A generative adversarial network: one network makes digits out of noise, another tells them from real ones, and each learns from the
-- other. fit trains one model down one loss, so the loop is written here.
-- hebb scripts/examples/gan.lua [--quick]
local example = dofile(hebb.resource("scripts/examples/common.lua"))

digits = data.digits()
local function images(x) return x:to("float32"):reshape{-1, 8, 8, 1} / 8 - 1 end   -- -1 ... 1, what tanh gives
real, test = images(digits.x), images(digits.test.x)
latent = 32

G = nn.Sequential()                                              -- the generator: noise to an image
G:add(nn.Dense(2 * 2 * 64, {use_bias = false, input_shape = {latent}}))
G:add(nn.BatchNormalization())
G:add(nn.ReLU())
G:add(nn.Reshape({2, 2, 64}))
G:add(nn.Conv2DTranspose(32, 4, {strides = 2, padding = "same", use_bias = false}))
G:add(nn.BatchNormalization())
G:add(nn.ReLU())
G:add(nn.Conv2DTranspose(1, 4, {strides = 2, padding = "same", activation = "tanh"}))

D = nn.Sequential()                                              -- the discriminator: an image to "real?"
D:add(nn.Conv2D(32, 4, {strides = 2, padding = "same", input_shape = {8, 8, 1}}))
D:add(nn.LeakyReLU(0.2))
D:add(nn.Conv2D(64, 4, {strides = 2, padding = "same"}))
D:add(nn.LeakyReLU(0.2))
D:add(nn.Flatten())
D:add(nn.Dropout(0.3))
D:add(nn.Dense(1))                                               -- a logit

G_adam = nn.Adam{learning_rate = 5e-4, beta_1 = 0.5}
D_adam = nn.Adam{learning_rate = 5e-4, beta_1 = 0.5}
bce = nn.losses.BinaryCrossentropy{from_logits = true}

run = nn.job{models = {G = G, D = D}, data = real, batch_size = 64, epochs = example.pick(200, 25), step = function(job, batch)
    local n = #batch
    local ones, zeros = tensor.ones(n, 1), tensor.zeros(n, 1)
    -- The discriminator is to call real images real and made ones made ...
    local d_loss = tape(function()
        local made = G(tensor.randn(n, latent))
        return bce(ones * 0.9, D(batch)) + bce(zeros, D(made))   -- 0.9: one-sided label smoothing
    end)
    D_adam:apply(d_loss, D)
    -- ... and the generator is to be believed.
    local g_loss = tape(function() return bce(ones, D(G(tensor.randn(n, latent)))) end)
    G_adam:apply(g_loss, G)
    job:log{d_loss = d_loss, g_loss = g_loss}
end}

-- Four made digits.
example.draw((G:predict(tensor.randn(4, latent)) + 1) / 2)

-- Who judges has never seen a made digit.
judge = nn.Sequential()
judge:add(nn.Conv2D(32, 3, {activation = "relu", padding = "same", input_shape = {8, 8, 1}}))
judge:add(nn.Conv2D(64, 3, {activation = "relu", padding = "same"}))
judge:add(nn.MaxPooling2D(2))
judge:add(nn.Flatten())
judge:add(nn.Dropout(0.5))
judge:add(nn.Dense(64, {activation = "relu"}))
judge:add(nn.Dense(10, {activation = "softmax"}))
judge:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
judge:fit(real, digits.y, {epochs = example.pick(60, 12), batch_size = 64, verbose = 0})
print("the judge's accuracy on real digits of the test part: " .. example.percent(judge:evaluate(test, digits.test.y).accuracy))

chances = judge:predict(G:predict(tensor.randn(5000, latent)))
confidence, rarest = chances:max{axis = -1}:mean():item(), 1
class = chances:argmax{axis = -1}
for digit = 0, 9 do
    local share = op.equal(class, digit):mean():item()
    io.write(("%d: %s   "):format(digit, example.percent(share)))
    rarest = math.min(rarest, share)
end
print(("\nmean confidence of the judge in 5,000 made digits: %.3f"):format(confidence))
example.report("share of the rarest digit among 5,000 made ones:", example.percent(rarest),
               "none for this set; at equilibrium D is right half the time, its loss 2 ln 2 = 1.386, G's 0.693 (Goodfellow et al. 2014)")
