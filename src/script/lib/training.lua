-- SPDX-License-Identifier: MIT
-- What is made of fit: callbacks composed of functions, the search for a learning rate, freezing, fine tuning.

local _, add_method, refuse, options = ...

--- nn.LambdaCallback{on_epoch_end = function(epoch, logs, run) … end, …}: a callback of functions, as Keras's; a plain table of them
--- does the same. The events: ?callbacks
--- local seen = nn.LambdaCallback{on_epoch_end = function(epoch, logs) print(epoch, logs.loss) end}
function nn.LambdaCallback(functions)
    if type(functions) ~= "table" then refuse("nn.LambdaCallback wants a table {on_epoch_end = function(epoch, logs, run) … end}") end
    local n = 0
    for name, fn in pairs(functions) do
        if type(name) ~= "string" or name:sub(1, 3) ~= "on_" then refuse("nn.LambdaCallback: %s is no event; see ?callbacks", tostring(name)) end
        if type(fn) ~= "function" then refuse("nn.LambdaCallback: %s wants a function, got a %s", name, type(fn)) end
        n = n + 1
    end
    if n == 0 then refuse("nn.LambdaCallback was given no event; see ?callbacks") end
    return functions
end

---- Freezing ----

-- "conv*" as a pattern of Lua: * stands for anything, ? for one character.
local function glob(text) return "^" .. text:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".") .. "$" end

local function names_of(model)
    local names = {}
    for i, layer in ipairs(model.layers) do names[i] = layer.name end
    return #names > 12 and table.concat(names, ", ", 1, 12) .. ", …" or table.concat(names, ", ")
end

-- The layers that `what` means: nil (all), a name, a pattern, a place from 1 (negative: from the end), a layer, or a list of these.
local function choose(model, what, who, out)
    out = out or {}
    local layers = model.layers
    if what == nil then
        for _, layer in ipairs(layers) do out[#out + 1] = layer end
    elseif math.type(what) == "integer" then
        local layer = layers[what < 0 and #layers + 1 + what or what]
        if not layer then refuse("%s: there is no layer %d; %s has %d", who, what, model.name, #layers) end
        out[#out + 1] = layer
    elseif type(what) == "table" then
        for _, one in ipairs(what) do
            if type(one) == "table" then refuse("%s: a list holds names, patterns and places, not lists", who) end
            choose(model, one, who, out)
        end
    elseif type(what) == "userdata" then
        for _, layer in ipairs(layers) do if layer == what then out[#out + 1] = layer; return out end end
        refuse("%s: %s is no layer of %s", who, tostring(what), model.name)
    elseif type(what) ~= "string" then
        refuse("%s wants names, patterns like \"conv*\" or places from 1, got a %s", who, type(what))
    elseif not what:find("[*?]") then
        out[#out + 1] = model:get_layer(what)
    else
        local pattern, before = glob(what), #out
        for _, layer in ipairs(layers) do if layer.name:find(pattern) then out[#out + 1] = layer end end
        if #out == before then refuse("%s: no layer is called %q; %s has %s", who, what, model.name, names_of(model)) end
    end
    return out
end

local function set_trainable(model, what, on, who)
    local layers = choose(model, what, who)
    for _, layer in ipairs(layers) do layer.trainable = on end
    return #layers
end

--- model:freeze(which): these layers no longer train, from the next fit on: a name, a pattern "conv*", a place from 1 (-1 is the last), a layer,
--- a list of these, or nothing: all. A frozen BatchNormalization uses its averages, as in Keras. Gives how many layers there are.
--- local m = nn.Sequential{nn.Dense(4, {input_shape = {2}, name = "body"}), nn.Dense(1)}; assert(m:freeze("b*") == 1 and not m.layers[1].trainable)
add_method("model", "freeze", function(model, which) return set_trainable(model, which, false, "freeze") end)

--- model:unfreeze(which): these layers train again, from the next fit on; which: as for freeze.
--- local m = nn.Sequential{nn.Dense(4, {input_shape = {2}}), nn.Dense(1)}; m:freeze(); m:unfreeze(-1); assert(m.layers[2].trainable)
add_method("model", "unfreeze", function(model, which) return set_trainable(model, which, true, "unfreeze") end)

---- Fine tuning ----

-- Each layer's factor: rates by name or pattern (a later, that is longer, pattern wins), else decay for each layer that it lies below the last.
local function factors_of(model, rates, decay)
    local layers, patterns, factors = model.layers, {}, {}
    local depth = 0
    for i = #layers, 1, -1 do
        factors[layers[i].name] = (decay or 1) ^ depth
        if layers[i]:count_params() > 0 then depth = depth + 1 end
    end
    for pattern, rate in pairs(rates or {}) do
        if type(rate) ~= "number" or not (rate >= 0) then refuse("fine_tune: the rate of %s is a factor of at least 0, got %s", tostring(pattern), tostring(rate)) end
        patterns[#patterns + 1] = pattern
    end
    table.sort(patterns, function(a, b)
        local x, y = #tostring(a), #tostring(b)
        return x < y or (x == y and tostring(a) < tostring(b))
    end)
    for _, pattern in ipairs(patterns) do
        for _, layer in ipairs(choose(model, pattern, "fine_tune: rates")) do factors[layer.name] = rates[pattern] end
    end
    return factors
end

-- Where y stands in x (a dataset) its place may be taken by the options.
local function shifted(y, given)
    if given == nil and type(y) == "table" and getmetatable(y) == nil and y[1] == nil then return nil, y end
    return y, given
end

--- model:fine_tune(x, y, {unfreeze = which, learning_rate = 1e-4, decay = 0.5, rates = {["conv*"] = 0.1}, …}): trains a model that has learnt
--- already, as fit does and with its options; lower layers more gently. The layers of `unfreeze` train again (see freeze). Each layer learns
--- at learning_rate (compile's if not given) times a factor: decay once for each layer with weights above it (Howard and Ruder 2018 take
--- 1 / 2.6), or what rates says for its name. The factors stay: layer.learning_rate_multiplier. Gives the run.
--- local m = nn.Sequential{nn.Dense(4, {input_shape = {2}}), nn.Dense(1)}; m:compile{optimizer = "sgd", loss = "mse"}
--- m:fine_tune({{0, 1}}, {{1}}, {decay = 0.5, epochs = 1, verbose = 0}):wait(); assert(m.layers[1].learning_rate_multiplier == 0.5)
add_method("model", "fine_tune", function(model, x, y, given)
    y, given = shifted(y, given)
    local rules = {unfreeze = true, learning_rate = "size", decay = "size", rates = "table"}
    local fit, own = {}, given
    if type(given) == "table" and not getmetatable(given) then
        own = {}
        for name, value in pairs(given) do (rules[name] and own or fit)[name] = value end
    end
    local o = options("fine_tune", own, {}, rules)
    if o.decay and not (o.decay > 0 and o.decay <= 1) then refuse("fine_tune: decay is a number above 0 and at most 1") end
    if o.learning_rate and fit.schedule then refuse("fine_tune: give learning_rate or schedule, not both") end
    local thawed = o.unfreeze ~= nil and choose(model, o.unfreeze, "fine_tune: unfreeze") or {}
    local factors = factors_of(model, o.rates, o.decay)
    if o.learning_rate then fit.schedule = nn.Constant(o.learning_rate) end
    local before, runs = {}, #nn.runs()
    for _, layer in ipairs(thawed) do before[#before + 1] = {layer, "trainable", layer.trainable}; layer.trainable = true end
    for _, layer in ipairs(model.layers) do
        before[#before + 1] = {layer, "learning_rate_multiplier", layer.learning_rate_multiplier}
        layer.learning_rate_multiplier = factors[layer.name]
    end
    local good, run
    if y == nil then good, run = pcall(model.fit, model, x, fit) else good, run = pcall(model.fit, model, x, y, fit) end
    if good then return run end
    if #nn.runs() == runs then -- fit refused what it was given
        for _, was in ipairs(before) do was[1][was[2]] = was[3] end
    end
    error(run, 0)
end)

---- The search for a learning rate ----

-- Where the smoothed curve falls most steeply over the logarithm of the rate (its points stand at equal distances there); the noisy first ten
-- and last five are left out, as in Lightning, or a tenth where there are few. nil: it falls nowhere.
local function steepest(losses)
    local n, best, at = #losses, 0, nil
    for i = math.max(2, math.min(11, n // 10 + 1)), n - math.max(1, math.min(5, n // 10)) do
        local slope = losses[i + 1] - losses[i - 1]
        if slope < best then best, at = slope, i end
    end
    return at
end

local found = {}
found.__index = found
function found:__tostring()
    local lines, most, least = {}, -math.huge, math.huge
    for _, loss in ipairs(self.smoothed) do most, least = math.max(most, loss), math.min(least, loss) end
    local step = math.max(1, #self.rates // 20)
    for i = 1, #self.rates, step do
        local width = most > least and (self.smoothed[i] - least) / (most - least) * 40 // 1 | 0 or 0
        local here = self.place and self.place >= i and self.place < i + step
        lines[#lines + 1] = ("%9.2e %10.4g %s%s"):format(self.rates[i], self.smoothed[i], ("#"):rep(width), here and "  <- steepest" or "")
    end
    lines[#lines + 1] = self.suggestion and ("suggestion: learning_rate = %.3g"):format(self.suggestion)
        or "no suggestion: the loss does not fall anywhere; try another range of rates"
    return table.concat(lines, "\n")
end

--- model:lr_find(x, y, {start = 1e-8, stop = 1, steps = 100, beta = 0.98, batch_size = 32, …}): a learning rate to begin with. Trains with rates
--- that grow by the same factor at each step, until the loss is four times its best or not finite, and then puts the model, its optimizer and the
--- random state back as they were. Gives rates, losses, smoothed (moving averages with weight beta, put right for their start) and
--- suggestion, where the smoothed curve falls most steeply; printed, it is the curve. Source: Smith 2017; fastai and Lightning.
--- local d = data.moons(64); local m = nn.Sequential{nn.Dense(8, "tanh", {input_shape = {2}}), nn.Dense(2, "softmax")}
--- m:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy"}; local found = m:lr_find(d, {steps = 40}); assert(#found.rates > 3)
add_method("model", "lr_find", function(model, x, y, given)
    y, given = shifted(y, given)
    local o = options("lr_find", given, {start = 1e-8, stop = 1.0, steps = 100, beta = 0.98, batch_size = 32},
                      {start = "number", stop = "number", class_weight = true, sample_weight = true, seed = true, shuffle = true})
    if not (o.start > 0 and o.stop > o.start) then refuse("lr_find: start and stop are rates above 0, stop the larger") end
    if o.steps < 3 or o.steps > 100000 then refuse("lr_find: steps is a whole number from 3 to 100000") end
    if o.beta >= 1 then refuse("lr_find: beta is at least 0 and below 1") end
    local out = setmetatable({rates = {}, losses = {}, smoothed = {}}, found)
    local average, best, over = 0, math.huge, false
    -- fit's logs are means since the epoch's start: the batch's own loss is what the sum has grown by
    local rows, sum, count = math.huge, 0, 0
    pcall(function() rows = #x end)
    local watch = {}
    function watch.on_epoch_begin() sum, count = 0, 0 end
    function watch.on_train_batch_end(batch, logs, run)
        local samples = math.min(batch * o.batch_size, rows)
        local total = logs.loss * samples
        local loss = (total - sum) / (samples - count)
        sum, count = total, samples
        local n = #out.rates + 1
        average = o.beta * average + (1 - o.beta) * loss
        local smooth = average / (1 - o.beta ^ n)
        if loss ~= loss or smooth == math.huge or (n > 1 and smooth > 4 * best) then over = true else
            out.rates[n], out.losses[n], out.smoothed[n] = o.start * (o.stop / o.start) ^ ((n - 1) / (o.steps - 1)), loss, smooth
            best = math.min(best, smooth)
        end
        if over or #out.rates >= o.steps then run:stop() end
    end
    local rate, before = nn.ExponentialDecay(o.start, 1, (o.stop / o.start) ^ (1 / (o.steps - 1))), model.iterations or 0
    local fit = {epochs = 1000000, batch_size = o.batch_size, verbose = 0, wait = false, paused = true, autosave = false, callbacks = {watch},
                 schedule = before > 0 and nn.WarmUp(rate, before) or rate, -- counts the updates of earlier runs, too
                 class_weight = o.class_weight, sample_weight = o.sample_weight, seed = o.seed, shuffle = o.shuffle}
    local run
    if y == nil then run = model:fit(x, fit) else run = model:fit(x, y, fit) end
    run:resume()
    pcall(run.wait, run) -- a rate that is far too high ends it with an error: the curve ends there
    if run.steps > 0 then run:rewind{step = 0} end
    run:stop()
    out.place = steepest(out.smoothed)
    out.suggestion = out.place and out.rates[out.place]
    return out
end)

