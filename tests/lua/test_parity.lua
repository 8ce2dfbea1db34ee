-- SPDX-License-Identifier: MIT
-- Whole networks train as in Keras and PyTorch: same weights, same batches, 50 steps, each step's loss within 1e-3
-- (fixtures/parity/make_parity.py). Untrained, the last batch's loss is another.
local tap = dofile("tests/lua/tap.lua")
local parity = dofile("tests/fixtures/parity/models.lua")

local curves = {}
for line in io.lines("tests/fixtures/parity/curves.txt") do
    local name, rest = line:match("^(%S+) (.*)$")
    curves[name] = {}
    for number in rest:gmatch("%S+") do table.insert(curves[name], tonumber(number)) end
end

-- The loss of each batch: logs hold the mean since the epoch's start, of batches of one size.
local function curve_of(m)
    nn.reset_names()
    local model, file, losses, sum = m.build(), os.tmpname() .. ".safetensors", {}, 0
    parity.fill(model, file); os.remove(file)
    model:compile{optimizer = m.optimizer(), loss = m.loss}
    local x, y = m.data(m.name)
    local first, last = (parity.steps - 1) * m.batch + 1, parity.steps * m.batch
    local untrained = type(x) ~= "table" and model:test_on_batch(x:slice(first, last), y:slice(first, last)).loss
    model:fit(x, y, {batch_size = m.batch, shuffle = false, verbose = 0, autosave = false, callbacks = {{on_train_batch_end = function(batch, logs)
        losses[batch], sum = logs.loss * batch - sum, logs.loss * batch
    end}}})
    return losses, untrained
end

for _, m in ipairs(parity.models) do
    local want, got, untrained = curves[m.name], curve_of(m)
    local worst = tap.worst(got, want, true)
    tap.is(#got, parity.steps, m.name .. ": 50 steps")
    tap.ok(worst < 1e-3, ("%s: every loss within 1e-3 (worst %.1e)"):format(m.name, worst))
    if untrained then tap.ok(math.abs(got[50] - untrained) > 0.01 * untrained, m.name .. ": training changed the last batch's loss") end
end

-- The pair, as a job.
local function pair_curves()
    local pair = parity.dcgan.build()
    for name, model in pairs(pair) do
        local file = os.tmpname() .. ".safetensors"
        parity.fill(model, file); os.remove(file)
    end
    local G, D, n = pair.generator, pair.discriminator, parity.dcgan.batch
    local bce, g_adam, d_adam = nn.losses.BinaryCrossentropy{from_logits = true}, nn.Adam(0.0002, {beta_1 = 0.5}), nn.Adam(0.0002, {beta_1 = 0.5})
    local ones, zeros, d_curve, g_curve = tensor.ones(n, 1), tensor.zeros(n, 1), {}, {}
    nn.job{models = pair, data = {parity.dcgan.data()}, batch_size = n, shuffle = false, verbose = 0, step = function(job, images, first, second)
        local d_loss = tape(function() return bce(ones, D(images)) + bce(zeros, D(G(first))) end)
        d_adam:apply(d_loss, D)
        local g_loss = tape(function() return bce(ones, D(G(second))) end)
        g_adam:apply(g_loss, G)
        job:log{d_loss = d_loss, g_loss = g_loss}
        table.insert(d_curve, d_loss:item()); table.insert(g_curve, g_loss:item())
    end}
    return {dcgan_d = d_curve, dcgan_g = g_curve}
end
for name, got in pairs(pair_curves()) do
    local worst = tap.worst(got, curves[name], true)
    tap.is(#got, parity.steps, name .. ": 50 steps")
    tap.ok(worst < 1e-3, ("%s: every loss within 1e-3 (worst %.1e)"):format(name, worst))
    tap.ok(math.abs(got[50] - got[1]) > 0.01 * got[1], name .. ": it moves")
end
tap.done()
