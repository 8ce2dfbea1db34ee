-- A variational autoencoder: as autoencoder.lua, but the code of a digit is a cloud, not a point, so that every code between has a digit.
-- Two models learn together down one loss, which is more than the distance of output and target: the loop is written here.
-- hebb scripts/examples/vae.lua [--quick]
local example = dofile(hebb.resource("scripts/examples/common.lua"))

digits = data.digits()
local function pixels(x) return (x:to("float32") / 16):reshape{-1, 64} end
x, test = pixels(digits.x), pixels(digits.test.x)
latent = 2                                                       -- two numbers, so that all codes can be drawn on a sheet

image = nn.Input({64})
hidden = nn.Dense(128, {activation = "relu"})(image)
mean, log_variance = nn.Dense(latent)(hidden), nn.Dense(latent)(hidden)
encoder = nn.Model(image, {mean, log_variance})

decoder = nn.Sequential()
decoder:add(nn.Dense(128, {activation = "relu", input_shape = {latent}}))
decoder:add(nn.Dense(64))                                        -- logits of the pixels

-- How far an image is from what comes out, and how far its cloud is from that of all codes (Kingma and Welling 2014, appendix B).
local function losses(x)
    local mean, log_variance = encoder(x)
    local code = mean + op.exp(log_variance * 0.5) * tensor.randn(#x, latent)
    local image = op.sigmoid_cross_entropy(decoder(code), x) * 64
    local cloud = (1 + log_variance - mean:square() - op.exp(log_variance)):sum{axis = -1}:mean() * -0.5
    return image, cloud
end

adam = nn.Adam{learning_rate = 0.002}
run = nn.job{models = {encoder = encoder, decoder = decoder}, data = x, batch_size = 32, epochs = example.pick(300, 100), step = function(job, batch)
    local loss, image, cloud = tape(function()
        local image, cloud = losses(batch)
        return image + cloud, image, cloud
    end)
    adam:apply(loss, {encoder, decoder})
    job:log{loss = loss, image = image, cloud = cloud}
end}

-- Codes from corner to corner: what lies between two digits is almost one, too.
for down = 1, -1, -1 do
    example.draw(op.sigmoid(decoder:predict(tensor{{-1.5, down}, {-0.5, down}, {0.5, down}, {1.5, down}})))
end

-- On the test part, with the code drawn from the cloud as in training; and what is left when every image gets the mean one.
local function bound(x) return tape(function() local image, cloud = losses(x); return image + cloud end):item() end
common = op.mean(x, {axis = 0}) * 0.999 + 0.0005
naive = -(test * op.log(common) + (1 - test) * op.log(1 - common)):sum{axis = -1}:mean():item()
print(("nats for an image of the test part: %.2f for the mean image, %.2f with two numbers"):format(naive, bound(test)))
example.report("negative evidence lower bound, test part, nats:", ("%.2f"):format(bound(test)), "none for this set")
