-- SPDX-License-Identifier: MIT
-- Writes the corpus of fuzz_model: build/hebb tests/fuzz/make_models.lua tests/fuzz/corpus/model
-- Small models with all that stands in a file: layers composed of others, wrappers, layers and functions written in Lua, several
-- inputs and outputs, shared layers, states, notes. One file each, and the architecture alone where the file would be large.
local folder = arg[1]
local function keep(name, model)
    local path = folder .. "/" .. name .. ".safetensors"
    model:save(path)
    local file <close> = io.open(path, "rb")
    local bytes = file:read("a")
    local header = bytes:sub(9, 8 + string.unpack("<I8", bytes))
    local text = header:match('"hebb.model":"(.-[^\\])"'):gsub('\\(.)', {["\\"] = "\\", ['"'] = '"', n = "\n", ["/"] = "/"})
    local out <close> = io.open(folder .. "/" .. name .. ".json", "wb")
    out:write(text)
    if #bytes > 12000 then os.remove(path) end
end

keep("dense", nn.Sequential{nn.Dense(2, "relu", {input_shape = {3}}), nn.Dropout(0.5), nn.Dense(1, {kernel_regularizer = "l2(0.1)", bias_constraint = "non_neg"})})
keep("conv", nn.Sequential{nn.Conv2D(2, 3, {input_shape = {6, 6, 1}}), nn.BatchNormalization(), nn.MaxPooling2D(2), nn.Flatten(), nn.Dense(2, "softmax")})
local twice = nn.Lambda(function(x) return x:reshape{x.shape[1], 3} * tensor{1, -math.huge, 0.1} + 1 end, {input_shape = {3}, name = "odd"})
keep("lambda", nn.Sequential{twice, nn.Dense(1)})
local Scaled = nn.layer{
    name = "Scaled", args = {units = 2, gain = 1.5, mode = "tanh"},
    build = function(self, shape) self:add_weight("kernel", {shape[#shape], self.units}, "glorot_uniform"); self:add_weight("count", {1}, {initializer = "zeros", trainable = false}) end,
    call = function(self, x, training) local y = x:matmul(self.kernel) * self.gain; if training then y = y * 2 end return y:tanh() + self.count end,
}
local a, b = nn.Input{shape = {2}}, nn.Input{shape = {2}}
local shared = Scaled()
keep("class", nn.Model({a, b}, {nn.Add()(shared(a), shared(b)), nn.Concatenate()(a, b)}))
keep("recurrent", nn.Sequential{nn.Bidirectional(nn.LSTM(2, {return_sequences = true}), {input_shape = {3, 2}}), nn.TimeDistributed(nn.Dense(2)), nn.GRU(2)})
keep("transformer", nn.Sequential{nn.TokenAndPositionEmbedding(7, 4, 4, {input_shape = {4}}), nn.TransformerEncoder(4, 2), nn.TransformerDecoder(4, 2), nn.GlobalAveragePooling1D(), nn.Dense(1)})
local x = nn.Input{shape = {4, 4}}
keep("attention", nn.Model(x, nn.MultiHeadAttention(2, 2)(x, x)))
keep("nested", nn.Sequential{nn.Sequential{nn.Dense(2, {input_shape = {2}})}, nn.Dense(1)})
