-- SPDX-License-Identifier: MIT
-- A model written down for others: as a picture in Mermaid, as source that builds the same network in Keras or PyTorch. The source
-- ends with a function that loads the weights of a file that model:save wrote (needs the package safetensors there).

local what, add_method, refuse = ...

local function quote(text) return '"' .. tostring(text):gsub('[\\"]', "\\%0") .. '"' end

-- A value as Python writes it; lists become tuples.
local function python(value)
    if value == nil then return "None" end
    if type(value) == "boolean" then return value and "True" or "False" end
    if type(value) == "string" then return quote(value) end
    if type(value) ~= "table" then return math.type(value) == "float" and ("%.17g"):format(value):gsub("^(-?%d+)$", "%1.0") or tostring(value) end
    local out = {}
    for i, item in ipairs(value) do out[i] = python(item) end
    return "(" .. table.concat(out, ", ") .. (#out == 1 and ",)" or ")")
end

local function shape_text(shape) return python({table.unpack(shape)}) end

-- A name that is a Python variable.
local function variable(name) return (name:gsub("[^%w_]", "_"):gsub("^(%d)", "_%1")) end

---- Mermaid ----

local function mermaid(config)
    local lines = {"flowchart TD"}
    for i, node in ipairs(config.nodes) do
        local label = ("%s<br/>%s %s"):format(node.name, node.kind, shape_text(node.shape))
        if node.params > 0 and node.first then label = label .. "<br/>" .. node.params .. " parameters" end
        local open, close = "[", "]"
        if node.kind == "Input" then open, close = "([", "])" end
        lines[#lines + 1] = ("  n%d%s%s%s"):format(i, open, quote(label), close)
    end
    for i, node in ipairs(config.nodes) do
        for _, from in ipairs(node.from) do
            local which = from[2] > 1 and ("|output %d|"):format(from[2]) or ""
            lines[#lines + 1] = ("  n%d -->%s n%d"):format(from[1], which, i)
        end
    end
    return table.concat(lines, "\n") .. "\n"
end

--- model:graph(): the network as a drawing in Mermaid's language, a text; many editors and web pages show it.
--- print(model:graph())
add_method("model", "graph", function(model) return mermaid(model:config()) end)

---- Keras ----

-- What Keras gives with the call, not with the constructor.
local call_arguments = {use_causal_mask = true, return_attention_scores = true}
-- Not in Keras itself.
local elsewhere = {Lambda = true, ReversibleEmbedding = "keras_hub", PositionEmbedding = "keras_hub", SinePositionEncoding = "keras_hub", RotaryEmbedding = "keras_hub",
                   TokenAndPositionEmbedding = "keras_hub", TransformerEncoder = "keras_hub", TransformerDecoder = "keras_hub"}

-- "constant(0.1)" -> keras.initializers.Constant(0.1)
local function keras_initializer(text)
    local name, args = text:match("^([%w_]+)%((.*)%)$")
    if not name then return quote(text) end
    local class = name:gsub("_(%w)", string.upper):gsub("^%w", string.upper)
    return ("keras.initializers.%s(%s)"):format(class, args)
end

-- "l2(0.1)" -> keras.regularizers.L2(0.1); nil where the argument is no such thing.
local classes = {l1 = "L1", l2 = "L2", l1_l2 = "L1L2", orthogonal = "OrthogonalRegularizer", max_norm = "MaxNorm", unit_norm = "UnitNorm", min_max_norm = "MinMaxNorm", non_neg = "NonNeg"}
local function keras_object(name, value)
    if type(value) ~= "string" then return nil end
    if name:find("initializer$") then return keras_initializer(value) end
    local home = name:find("regularizer$") and "regularizers" or name:find("constraint$") and "constraints"
    if not home then return nil end
    local kind, args = value:match("^([%w_]+)(%b())$")
    return ("keras.%s.%s%s"):format(home, classes[kind or value] or (kind or value), args or "()")
end

local function keras_arguments(node, out)
    out = out or {}
    local names = {}
    for name in pairs(node.args) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do
        local value = node.args[name]
        local text = keras_object(name, value) or python(value)
        if not call_arguments[name] then out[#out + 1] = name .. "=" .. text end
    end
    return out
end

local function keras_layer(node, with_shape)
    local home = elsewhere[node.kind]
    if home then
        error(("model:export: %s is a %s, which Keras itself does not have%s"):format(node.name, node.kind, home == true and "" or "; it is a layer of " .. home), 0)
    end
    local args = {}
    for i, inner in ipairs(node.wraps or {}) do args[i] = keras_layer(inner) end
    keras_arguments(node, args)
    args[#args + 1] = "name=" .. quote(node.name)
    return ("layers.%s(%s)"):format(node.kind, table.concat(args, ", "))
end

local keras_model

-- Models within come first, each as a function of its own.
local function inner_models(config, lines, seen)
    for _, node in ipairs(config.nodes) do
        if node.model and not seen[node.model.name] then
            inner_models(node.model, lines, seen)
            seen[node.model.name] = true
            lines[#lines + 1] = keras_model(node.model, "make_" .. variable(node.model.name), node.name)
        end
    end
end

function keras_model(config, name, as)
    local lines = {("def %s():"):format(name)}
    local function add(text, ...) lines[#lines + 1] = "    " .. (select("#", ...) > 0 and text:format(...) or text) end
    if config.kind == "Sequential" then
        add("return keras.Sequential([")
        for _, node in ipairs(config.nodes) do
            if node.kind == "Input" then
                add("    keras.Input(shape=%s%s),", shape_text(node.shape), node.dtype ~= "float32" and ", dtype=" .. quote(node.dtype) or "")
            else
                add("    " .. (node.model and ("make_%s()"):format(variable(node.model.name)) or keras_layer(node)) .. ",")
            end
        end
        add("], name=%s)", quote(as or config.name))
        return table.concat(lines, "\n") .. "\n"
    end
    local function value(from)
        local node = config.nodes[from[1]]
        return ("v%d%s"):format(from[1], node.n_outputs and ("[%d]"):format(from[2] - 1) or "")
    end
    for i, node in ipairs(config.nodes) do
        for _, from in ipairs(node.from) do
            if from[2] > 1 then config.nodes[from[1]].n_outputs = true end
        end
        if node.args.return_state or node.args.return_attention_scores or (node.model and #node.model.outputs > 1) then node.n_outputs = true end
    end
    local made = {}
    for i, node in ipairs(config.nodes) do
        if node.kind == "Input" then
            add("v%d = keras.Input(shape=%s, dtype=%s, name=%s)", i, shape_text(node.shape), quote(node.dtype), quote(node.name))
        else
            local inputs, call = {}, ""
            for k, from in ipairs(node.from) do inputs[k] = value(from) end
            for argument in pairs(call_arguments) do
                if node.args[argument] then call = call .. (", %s=True"):format(argument) end
            end
            if not made[node.name] then
                made[node.name] = true
                add("l_%s = %s", variable(node.name), node.model and ("make_%s()"):format(variable(node.model.name)) or keras_layer(node))
            end
            local list = #inputs == 1 and inputs[1] or "[" .. table.concat(inputs, ", ") .. "]"
            if node.kind == "MultiHeadAttention" then list = #inputs == 1 and inputs[1] .. ", " .. inputs[1] or table.concat(inputs, ", ") end
            add("v%d = l_%s(%s%s)", i, variable(node.name), list, call)
        end
    end
    local ends = {}
    for k, kind in ipairs{"inputs", "outputs"} do
        local list = {}
        for i, from in ipairs(config[kind]) do list[i] = value(from) end
        ends[k] = #list == 1 and list[1] or "[" .. table.concat(list, ", ") .. "]"
    end
    add("return keras.Model(%s, %s, name=%s)", ends[1], ends[2], quote(as or config.name))
    return table.concat(lines, "\n") .. "\n"
end

local keras_loader = [[
def load_weights(model, path):
    """The weights of a file that hebb saved: "layer/kernel" by the layers' names."""
    from safetensors.numpy import load_file
    stored = load_file(path)

    def fill(layers_, before):
        for layer in layers_:
            inner = getattr(layer, "layers", None)
            if inner:
                fill(inner, before + layer.name + "/")
                continue
            for weight in layer.weights:
                if "seed_generator" not in weight.path:
                    path, mark = "/" + weight.path, "/" + layer.name + "/"
                    own = path[path.index(mark) + len(mark):] if mark in path else weight.name
                    own = own.replace("lstm_cell/", "").replace("gru_cell/", "").replace("simple_rnn_cell/", "")
                    weight.assign(stored[before + layer.name + "/" + own])

    fill(model.layers, "")
]]

local function keras_source(config)
    local lines, seen = {"# Written by hebb. Needs Keras 3.", "import keras", "from keras import layers", "", ""}, {}
    local body = {}
    inner_models(config, body, seen)
    body[#body + 1] = keras_model(config, "make_model")
    body[#body + 1] = keras_loader
    return table.concat(lines, "\n") .. table.concat(body, "\n\n")
end

---- PyTorch ----

-- Values between layers have hebb's order (channels last), so that Flatten and weights mean the same; each layer turns what it needs.
local torch_head = [[
# Written by hebb. Needs PyTorch.
import torch
import torch.nn as nn
import torch.nn.functional as F


def same(x, kernel, strides, dilation=(1, 1), value=0.0):
    """Zeros around [B, C, H, W] as Keras's padding="same" has them."""
    pads = []
    for size, k, s, d in zip(reversed(x.shape[2:]), reversed(kernel), reversed(strides), reversed(dilation)):
        total = max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


def front(x):
    return x.movedim(-1, 1)


def back(x):
    return x.movedim(1, -1)
]]

local torch_activation = {relu = "F.relu(%s)", sigmoid = "torch.sigmoid(%s)", tanh = "torch.tanh(%s)", softmax = "torch.softmax(%s, -1)", linear = "%s", gelu = "F.gelu(%s)",
                          silu = "F.silu(%s)", swish = "F.silu(%s)", elu = "F.elu(%s)", selu = "F.selu(%s)", softplus = "F.softplus(%s)", leaky_relu = "F.leaky_relu(%s, 0.2)", relu6 = "F.relu6(%s)",
                          exponential = "torch.exp(%s)", log_softmax = "torch.log_softmax(%s, -1)", mish = "F.mish(%s)", softsign = "F.softsign(%s)"}

local function activated(name, text)
    local form = torch_activation[name or "linear"]
    if not form then error(("model:export: PyTorch's source does not know the activation %q yet"):format(name), 0) end
    return (form:gsub("%%s", function() return text end))
end

-- Each kind: what stands in __init__ (may be nil), the expression of forward for inputs x[1] …, and the lines that load its weights.
local torch_kinds = {}

local function get(node, name, default)
    local value = node.args[name]
    if value == nil then return default end
    return value
end

function torch_kinds.Dense(node, x, from)
    local inputs = from[1].shape[#from[1].shape]
    local bias = get(node, "use_bias", true)
    return ("nn.Linear(%d, %d, bias=%s)"):format(inputs, node.args.units, python(bias)), activated(node.args.activation, ("self.%s(%s)"):format(variable(node.name), x[1])),
           {weight = "kernel.T", bias = bias and "bias" or nil}
end

function torch_kinds.Conv2D(node, x, from)
    local a, name, bias = node.args, variable(node.name), get(node, "use_bias", true)
    local kernel, strides, dilation = a.kernel_size, get(node, "strides", {1, 1}), get(node, "dilation_rate", {1, 1})
    local input = ("front(%s)"):format(x[1])
    if a.padding == "same" then input = ("same(%s, %s, %s, %s)"):format(input, python(kernel), python(strides), python(dilation)) end
    return ("nn.Conv2d(%d, %d, %s, stride=%s, dilation=%s, groups=%d, bias=%s)"):format(from[1].shape[3], a.filters, python(kernel), python(strides), python(dilation), get(node, "groups", 1), python(bias)),
           activated(a.activation, ("back(self.%s(%s))"):format(name, input)), {weight = "kernel.permute(3, 2, 0, 1)", bias = bias and "bias" or nil}
end

local function pooling(call, fill)
    return function(node, x)
        local size = get(node, "pool_size", {2, 2})
        local strides = get(node, "strides", size)
        local input = ("front(%s)"):format(x[1])
        if node.args.padding == "same" then
            if not fill then error("model:export: AveragePooling2D with padding = \"same\" counts only what lies inside; PyTorch's source does not have that yet", 0) end
            input = ("same(%s, %s, %s, value=%s)"):format(input, python(size), python(strides), fill)
        end
        return nil, ("back(F.%s(%s, %s, %s))"):format(call, input, python(size), python(strides))
    end
end
torch_kinds.MaxPooling2D = pooling("max_pool2d", 'float("-inf")')
torch_kinds.AveragePooling2D = pooling("avg_pool2d")

function torch_kinds.GlobalAveragePooling2D(node, x) return nil, ("%s.mean((1, 2)%s)"):format(x[1], node.args.keepdims and ", keepdim=True" or "") end
function torch_kinds.Flatten(_, x) return nil, ("torch.flatten(%s, 1)"):format(x[1]) end
function torch_kinds.Reshape(node, x) return nil, ("torch.reshape(%s, (-1,) + %s)"):format(x[1], shape_text(node.shape)) end
function torch_kinds.Dropout(node, x) return ("nn.Dropout(%s)"):format(python(node.args.rate)), ("self.%s(%s)"):format(variable(node.name), x[1]) end
function torch_kinds.Activation(node, x) return nil, activated(node.args.activation, x[1]) end
function torch_kinds.ReLU(node, x) return nil, next(node.args) == nil and ("F.relu(%s)"):format(x[1]) or error("model:export: ReLU with arguments is not in PyTorch's source yet", 0) end
function torch_kinds.LeakyReLU(node, x) return nil, ("F.leaky_relu(%s, %s)"):format(x[1], python(get(node, "negative_slope", 0.3))) end
function torch_kinds.Softmax(_, x) return nil, ("torch.softmax(%s, -1)"):format(x[1]) end
function torch_kinds.Rescaling(node, x) return nil, ("%s * %s + %s"):format(x[1], python(node.args.scale), python(get(node, "offset", 0.0))) end
function torch_kinds.Add(_, x) return nil, table.concat(x, " + ") end
function torch_kinds.Multiply(_, x) return nil, table.concat(x, " * ") end
function torch_kinds.Subtract(_, x) return nil, table.concat(x, " - ") end
function torch_kinds.Concatenate(node, x) return nil, ("torch.cat((%s), %d)"):format(table.concat(x, ", "), get(node, "axis", -1)) end

function torch_kinds.BatchNormalization(node, x)
    local C, center, scale = node.shape[#node.shape], get(node, "center", true), get(node, "scale", true)
    return ("nn.BatchNorm1d(%d, eps=%s, momentum=%s)"):format(C, python(get(node, "epsilon", 1e-3)), python(1 - get(node, "momentum", 0.99))),
           ("self.%s(%s.reshape(-1, %d)).reshape(%s.shape)"):format(variable(node.name), x[1], C, x[1]),
           {weight = scale and "gamma" or nil, bias = center and "beta" or nil, running_mean = "moving_mean", running_var = "moving_variance"}
end

function torch_kinds.LayerNormalization(node, x)
    local C = node.shape[#node.shape]
    if node.args.axis and not (#node.args.axis == 1 and node.args.axis[1] == -1) then error("model:export: LayerNormalization over several axes is not in PyTorch's source yet", 0) end
    return ("nn.LayerNorm(%d, eps=%s)"):format(C, python(get(node, "epsilon", 1e-3))), ("self.%s(%s)"):format(variable(node.name), x[1]),
           {weight = get(node, "scale", true) and "gamma" or nil, bias = get(node, "center", true) and "beta" or nil}
end

function torch_kinds.Embedding(node, x)
    return ("nn.Embedding(%d, %d)"):format(node.args.input_dim, node.args.output_dim), ("self.%s(%s.long())"):format(variable(node.name), x[1]), {weight = "embeddings"}
end

-- A model within a model is written out in place; its layers' names get the outer one in front.
local function torch_walk(config, value, prefix, w)
    for i, node in ipairs(config.nodes) do
        local inputs, from = {}, {}
        for k, place in ipairs(node.from) do
            inputs[k], from[k] = value[place[1]], config.nodes[place[1]]
            if place[2] > 1 then error("model:export: layers with several outputs are not in PyTorch's source yet", 0) end
        end
        if node.kind ~= "Input" and node.model then
            local inner = {}
            for k, place in ipairs(node.model.inputs) do inner[place[1]] = inputs[k] end
            value[i] = torch_walk(node.model, inner, prefix .. node.name .. "/", w)[1]
        elseif node.kind ~= "Input" then
            local make = torch_kinds[node.kind] or error(("model:export: %s is a %s, which PyTorch's source does not have yet"):format(node.name, node.kind), 0)
            local plain = {name = variable(prefix .. node.name), kind = node.kind, args = node.args, shape = node.shape}
            local init, text, weights = make(plain, inputs, from)
            if init and not w.made[plain.name] then
                w.made[plain.name] = true
                w.init[#w.init + 1] = ("        self.%s = %s"):format(plain.name, init)
                local names = {}
                for name in pairs(weights or {}) do names[#names + 1] = name end
                table.sort(names)
                for _, name in ipairs(names) do
                    local stored, turn = weights[name]:match("^([%w_]+)(.*)$")
                    w.load[#w.load + 1] = ("    net.%s.%s.copy_(stored[%s]%s)"):format(plain.name, name, quote(prefix .. node.name .. "/" .. stored), turn)
                end
            end
            w.n = w.n + 1
            value[i] = "v" .. w.n
            w.forward[#w.forward + 1] = ("        %s = %s"):format(value[i], text)
        end
    end
    local out = {}
    for k, place in ipairs(config.outputs) do out[k] = value[place[1]] end
    return out
end

local function torch_source(config)
    local w, value, inputs = {init = {}, forward = {}, load = {}, made = {}, n = 0}, {}, {}
    for k, place in ipairs(config.inputs) do
        inputs[k] = "x" .. k
        value[place[1]] = inputs[k]
    end
    local out = torch_walk(config, value, "", w)
    local lines = {torch_head, "", "class Net(nn.Module):",
                   ('    """%s. Inputs and outputs as in hebb: the batch first, channels last."""'):format(config.name), "", "    def __init__(self):", "        super().__init__()"}
    table.move(w.init, 1, #w.init, #lines + 1, lines)
    lines[#lines + 1] = ("\n    def forward(self, %s):"):format(table.concat(inputs, ", "))
    table.move(w.forward, 1, #w.forward, #lines + 1, lines)
    lines[#lines + 1] = ("        return %s\n\n\ndef load_weights(net, path):"):format(table.concat(out, ", "))
    lines[#lines + 1] = '    """The weights of a file that hebb saved; kernels are turned into PyTorch\'s order."""\n    from safetensors.torch import load_file\n    stored = load_file(path)\n    torch.set_grad_enabled(False)'
    table.move(w.load, 1, #w.load, #lines + 1, lines)
    lines[#lines + 1] = "    torch.set_grad_enabled(True)\n    return net.eval()\n"
    return table.concat(lines, "\n")
end

--- model:export(framework): source in Python that builds this network in "keras" or "torch", a text, with a function load_weights(model, file)
--- for a file of model:save. What the other side does not have is refused by name.
--- local f = io.open("net.py", "w"); f:write(model:export("keras")); f:close()
add_method("model", "export", function(model, framework)
    local writers = {keras = keras_source, torch = torch_source}
    local write = writers[framework]
    local network = model:config()
    if not write then refuse('model:export wants "keras" or "torch", got %s', what(framework)) end
    local done, text = pcall(write, network)
    if not done then refuse("%s", tostring(text)) end
    return text
end)

