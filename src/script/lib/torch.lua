-- SPDX-License-Identifier: MIT
-- Weights in PyTorch's names and orders (a state_dict as .safetensors): kernels, gates and the rows behind Flatten are turned on the way.

local _, add_method, refuse, options = ...

-- Axes of ours for theirs, and back: Dense [in, out], convolutions [height, width, in, out], transposed ones [height, width, out, in].
local matrix, conv2, conv1 = {{1, 0}, {1, 0}}, {{3, 2, 0, 1}, {2, 3, 1, 0}}, {{2, 1, 0}, {2, 1, 0}}

-- Of a layer: its weights as {ours, theirs, to = function, from = function}; `turn` changes the order of rows that come from Flatten.
local function plain(ours, theirs, axes)
    if not axes then return {ours = ours, theirs = {theirs}, to = function(t) return {t} end, from = function(t) return t[1] end} end
    return {ours = ours, theirs = {theirs}, to = function(t) return {t:transpose(axes[1])} end, from = function(t) return t[1]:transpose(axes[2]) end}
end

local function with_bias(node, list)
    if node.args.use_bias ~= false then list[#list + 1] = plain("bias", "bias") end
    return list
end

-- [gates * units, …]: the first two gates change places, as between Keras's GRU (z, r, h) and PyTorch's (r, z, n).
local function swap_gates(t)
    local units = t.shape[1] // 3
    return op.concat(t:slice(units + 1, 2 * units), t:slice(1, units), t:slice(2 * units + 1, 3 * units), {axis = 0})
end

local function same(t) return t end

local function recurrent(node, gates)
    local list = {}
    for _, pair in ipairs{{"kernel", "weight_ih_l0"}, {"recurrent_kernel", "weight_hh_l0"}} do
        list[#list + 1] = {ours = pair[1], theirs = {pair[2]}, to = function(t) return {gates(t:transpose())} end, from = function(t) return gates(t[1]):transpose() end}
    end
    if node.args.use_bias == false then return list end
    local both = {"bias_ih_l0", "bias_hh_l0"}
    if node.kind == "GRU" then -- each has its own bias: rows of ours
        if node.args.reset_after == false then error(("%s has reset_after = false, which PyTorch's GRU does not know"):format(node.name), 0) end
        list[#list + 1] = {ours = "bias", theirs = both, to = function(t) return {gates(t[1]), gates(t[2])} end,
                           from = function(t) return op.concat(gates(t[1]):reshape{1, -1}, gates(t[2]):reshape{1, -1}, {axis = 0}) end}
    else -- only their sum counts
        list[#list + 1] = {ours = "bias", theirs = both, to = function(t) return {t, t * 0} end, from = function(t) return t[1] + t[2] end}
    end
    return list
end

local function norm(node, list)
    if node.args.scale ~= false then list[#list + 1] = plain("gamma", "weight") end
    if node.args.center ~= false then list[#list + 1] = plain("beta", "bias") end
    return list
end

local kinds = {
    Dense = function(node) return with_bias(node, {plain("kernel", "weight", matrix)}) end,
    Conv2D = function(node) return with_bias(node, {plain("kernel", "weight", conv2)}) end,
    Conv2DTranspose = function(node) return with_bias(node, {plain("kernel", "weight", conv2)}) end,
    Conv1D = function(node) return with_bias(node, {plain("kernel", "weight", conv1)}) end,
    DepthwiseConv2D = function(node)
        local more = node.args.depth_multiplier or 1
        return with_bias(node, {{ours = "kernel", theirs = {"weight"},
            to = function(t) return {t:transpose{2, 3, 0, 1}:reshape{t.shape[3] * t.shape[4], 1, t.shape[1], t.shape[2]}} end,
            from = function(t) local w = t[1]; return w:reshape{w.shape[1] // more, more, w.shape[3], w.shape[4]}:transpose{2, 3, 0, 1} end}})
    end,
    Embedding = function() return {plain("embeddings", "weight")} end,
    LayerNormalization = function(node) return norm(node, {}) end,
    GroupNormalization = function(node) return norm(node, {}) end,
    BatchNormalization = function(node) return norm(node, {plain("moving_mean", "running_mean"), plain("moving_variance", "running_var")}) end,
    SimpleRNN = function(node) return recurrent(node, same) end,
    LSTM = function(node) return recurrent(node, same) end, -- both have i, f, g, o
    GRU = function(node) return recurrent(node, swap_gates) end,
}

-- What does not move features: behind Flatten its rows are still those of the picture.
local still = {Dropout = true, Activation = true, ReLU = true, LeakyReLU = true, GaussianNoise = true, GaussianDropout = true, BatchNormalization = true}

-- The picture's shape {h, w, c} whose Flatten leads to node i, or nil.
local function picture(nodes, i)
    local before = nodes[i].from[1] and nodes[i].from[1][1]
    while before and still[nodes[before].kind] do before = nodes[before].from[1][1] end
    local flat = before and nodes[before].kind == "Flatten" and nodes[nodes[before].from[1][1]].shape
    return flat and #flat == 3 and flat or nil
end

-- Rows [h * w * c, …] as [c * h * w, …], and back.
local function rows_to(t, p)
    local rest = #t.shape > 1 and t.shape[2] or 1
    return t:reshape{p[1], p[2], p[3], rest}:transpose{2, 0, 1, 3}:reshape(#t.shape > 1 and {p[1] * p[2] * p[3], rest} or {p[1] * p[2] * p[3]})
end
local function rows_from(t, p)
    local rest = #t.shape > 1 and t.shape[2] or 1
    return t:reshape{p[3], p[1], p[2], rest}:transpose{1, 2, 0, 3}:reshape(#t.shape > 1 and {p[1] * p[2] * p[3], rest} or {p[1] * p[2] * p[3]})
end

local function turned(item, p)
    return {ours = item.ours, theirs = item.theirs, to = function(t) return item.to(rows_to(t, p)) end, from = function(t) return rows_from(item.from(t), p) end}
end

-- Every weight of the model: {layer, ours, theirs = full names, to, from}; models within go by "outer/inner".
local function plan(model, config, names, channels_last, before, out)
    for i, node in ipairs(config.nodes) do
        local path = before .. node.name
        if node.model then
            plan(model, node.model, names, channels_last, path .. "/", out)
        elseif node.kind ~= "Input" then
            local layer = model:get_layer(path)
            if layer:count_params() > 0 then
                local make = kinds[node.kind] or error(("%s is a %s, whose weights have no order of PyTorch's yet"):format(path, node.kind), 0)
                local p = not channels_last and (node.kind == "Dense" or node.kind == "BatchNormalization") and picture(config.nodes, i)
                local prefix = names[path] or path:gsub("/", "_")
                for _, item in ipairs(make(node)) do
                    if p and item.ours ~= "bias" then item = turned(item, p) end
                    local theirs = {}
                    for k, name in ipairs(item.theirs) do theirs[k] = prefix .. "." .. name end
                    out[#out + 1] = {layer = layer, path = path .. "/" .. item.ours, ours = item.ours, theirs = theirs, to = item.to, from = item.from}
                end
            end
        end
    end
    return out
end

local function planned(model, who, o)
    local done, result = pcall(plan, model, model:config(), o.names, o.channels_last, "", {})
    if not done then refuse("%s: %s", who, tostring(result)) end
    for path in pairs(o.names) do
        local known = pcall(model.get_layer, model, path)
        if not known then refuse("%s: names has %q, which is no layer of %s", who, tostring(path), model.name) end
    end
    return result
end

--- model:load_torch(file, {names = {conv2d = "features.0"}, partial = false, channels_last = false}): weights that PyTorch saved,
--- safetensors.torch.save_file(net.state_dict(), file), by names: a layer's name (a / becomes _) or what names says for it, and PyTorch's
--- word for the weight. Kernels and gates are turned into our order, and the rows of the first Dense behind Flatten, which PyTorch counts
--- channels first; channels_last = true leaves these rows (a net of model:export counts as we do). All must fit; partial = true leaves
--- what the file holds beside. Gives how many weights were set.
add_method("model", "load_torch", function(model, file, given)
    if type(file) ~= "string" then refuse("load_torch wants a file name") end
    local o = options("load_torch", given, {names = {}, partial = false, channels_last = false}, {names = "table"})
    local list, stored, used = planned(model, "load_torch", o), tensor.load(file), {}
    if type(stored) ~= "table" then refuse("load_torch: %s holds no tensors by name; save the state_dict with safetensors", file) end
    for _, item in ipairs(list) do
        local parts = {}
        for k, name in ipairs(item.theirs) do
            parts[k] = stored[name] or refuse("load_torch: %s has no %s for %s; names = {[%q] = …} says what the layer is called there", file, name, item.path, item.path:match("(.*)/"))
            used[name] = true
        end
        local done, value = pcall(item.from, parts)
        local want = tostring(item.layer[item.ours].shape)
        if not done or tostring(value.shape) ~= want then
            refuse("load_torch: %s has shape %s in %s, which does not become %s for %s", item.theirs[1], tostring(parts[1].shape), file, want, item.path)
        end
        item.value = value
    end
    for name in pairs(stored) do
        if not used[name] and not o.partial and not name:find("num_batches_tracked$") then
            refuse("load_torch: %s stands in %s, but no layer has it; partial = true leaves it", name, file)
        end
    end
    for _, item in ipairs(list) do item.layer[item.ours] = item.value end
    return #list
end)

--- model:save_torch(file, {names = {conv2d = "features.0"}, channels_last = false}): its weights for PyTorch, a state_dict that
--- net.load_state_dict(safetensors.torch.load_file(file)) takes; names and orders as for load_torch.
add_method("model", "save_torch", function(model, file, given)
    if type(file) ~= "string" then refuse("save_torch wants a file name") end
    local out = {}
    for _, item in ipairs(planned(model, "save_torch", options("save_torch", given, {names = {}, channels_last = false}, {names = "table"}))) do
        for k, value in ipairs(item.to(item.layer[item.ours])) do out[item.theirs[k]] = value end
    end
    tensor.save(file, out)
end)
