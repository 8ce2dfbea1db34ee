-- SPDX-License-Identifier: MIT
-- Ready architectures, to read and to change. Names, layers and parameter counts are the published ones (tests/lua/test_applications.lua
-- holds them); every one can be made small enough to train in a lesson. Weights are drawn, not loaded.

local what, _, refuse, options = ...
nn.applications = {}
local applications = nn.applications

-- x through layers, one after the other.
local function chain(x, ...)
    for _, layer in ipairs{...} do x = layer(x) end
    return x
end

local function conv(filters, size, o)
    o = o or {}
    o.padding = o.padding or "same"
    return nn.Conv2D(filters, size, o)
end

--- nn.applications.LeNet5{input_shape = {32, 32, 1}, classes = 10}: two convolutions, two poolings, three dense layers; 61,706 parameters.
--- For MNIST: input_shape = {28, 28, 1} pads by two pixels. Source: LeCun et al. 1998, with full connections between the convolutions.
function applications.LeNet5(given)
    local o = options("nn.applications.LeNet5", given, {input_shape = {32, 32, 1}, classes = 10, activation = "tanh"})
    local x = nn.Input(o.input_shape)
    local y = x
    if o.input_shape[1] == 28 then y = nn.ZeroPadding2D(2)(y) end
    y = chain(y, conv(6, 5, {activation = o.activation, padding = "valid"}), nn.AveragePooling2D(2),
              conv(16, 5, {activation = o.activation, padding = "valid"}), nn.AveragePooling2D(2), nn.Flatten(),
              nn.Dense(120, o.activation), nn.Dense(84, o.activation), nn.Dense(o.classes, "softmax"))
    return nn.Model(x, y, {name = "lenet5"})
end

--- nn.applications.VGG16{input_shape = {224, 224, 3}, classes = 1000, width = 64, dense = 4096, blocks = 5}: thirteen convolutions of 3 x 3 in
--- five blocks; 138,357,544 parameters. In a lesson: {input_shape = {32, 32, 3}, classes = 10, width = 8, dense = 64, blocks = 3}.
--- Source: Simonyan and Zisserman 2015, configuration D.
function applications.VGG16(given)
    local o = options("nn.applications.VGG16", given, {input_shape = {224, 224, 3}, classes = 1000, width = 64, dense = 4096, blocks = 5})
    local x = nn.Input(o.input_shape)
    local y = x
    for block = 1, o.blocks do
        local filters = o.width * 2 ^ math.min(block - 1, 3) // 1 | 0
        for i = 1, block < 3 and 2 or 3 do
            y = conv(filters, 3, {activation = "relu", name = ("block%d_conv%d"):format(block, i)})(y)
        end
        y = nn.MaxPooling2D(2, {name = ("block%d_pool"):format(block)})(y)
    end
    y = chain(y, nn.Flatten(), nn.Dense(o.dense, "relu", {name = "fc1"}), nn.Dense(o.dense, "relu", {name = "fc2"}),
              nn.Dense(o.classes, "softmax", {name = "predictions"}))
    return nn.Model(x, y, {name = "vgg16"})
end

-- Convolution without a bias, normalised, then relu.
local function conv_norm(x, filters, size, strides, relu)
    x = chain(x, conv(filters, size, {strides = strides, use_bias = false}), nn.BatchNormalization())
    return relu == false and x or nn.Activation("relu")(x)
end

--- nn.applications.ResNet20{input_shape = {32, 32, 3}, classes = 10, width = 16, depth = 3}: for CIFAR-10; three groups of `depth` blocks of two
--- convolutions, each block's input added to its output, through 1 x 1 convolutions where the size
--- changes; 272,282 trained parameters. depth = 9 is ResNet-56. Source: He et al. 2016, section 4.2.
function applications.ResNet20(given)
    local o = options("nn.applications.ResNet20", given, {input_shape = {32, 32, 3}, classes = 10, width = 16, depth = 3})
    local x = nn.Input(o.input_shape)
    local y = conv_norm(x, o.width, 3, 1)
    for group = 0, 2 do
        local filters = o.width << group
        for block = 1, o.depth do
            local strides = group > 0 and block == 1 and 2 or 1
            local short = strides == 1 and y or conv(filters, 1, {strides = 2, use_bias = false})(y)
            local inner = conv_norm(conv_norm(y, filters, 3, strides), filters, 3, 1, false)
            y = nn.Activation("relu")(nn.Add()(inner, short))
        end
    end
    y = chain(y, nn.GlobalAveragePooling2D(), nn.Dense(o.classes, "softmax"))
    return nn.Model(x, y, {name = "resnet20"})
end

--- nn.applications.ResNet50{input_shape = {224, 224, 3}, classes = 1000, width = 64}: bottleneck blocks in groups of 3, 4, 6, 3; 25,636,712 parameters,
--- as in Keras (its convolutions have biases). width = 8 fits a lesson. Source: He et al. 2016; keras/src/applications/resnet.py.
function applications.ResNet50(given)
    local o = options("nn.applications.ResNet50", given, {input_shape = {224, 224, 3}, classes = 1000, width = 64})
    local x = nn.Input(o.input_shape)
    local function unit(y, filters, size, strides, name, relu)
        y = chain(y, conv(filters, size, {strides = strides, name = name .. "_conv"}), nn.BatchNormalization{epsilon = 1.001e-5, name = name .. "_bn"})
        return relu == false and y or nn.Activation("relu", {name = name .. "_relu"})(y)
    end
    local y = chain(x, nn.ZeroPadding2D(3), conv(o.width, 7, {strides = 2, padding = "valid", name = "conv1_conv"}),
                    nn.BatchNormalization{epsilon = 1.001e-5, name = "conv1_bn"}, nn.Activation("relu"), nn.ZeroPadding2D(1), nn.MaxPooling2D(3, {strides = 2}))
    for group, depth in ipairs{3, 4, 6, 3} do
        local filters = o.width << (group - 1)
        for block = 1, depth do
            local name, strides = ("conv%d_block%d"):format(group + 1, block), block == 1 and group > 1 and 2 or 1
            local short = block > 1 and y or unit(y, 4 * filters, 1, strides, name .. "_0", false)
            local inner = unit(unit(y, filters, 1, strides, name .. "_1"), filters, 3, 1, name .. "_2")
            inner = unit(inner, 4 * filters, 1, 1, name .. "_3", false)
            y = nn.Activation("relu", {name = name .. "_out"})(nn.Add({name = name .. "_add"})(short, inner))
        end
    end
    y = chain(y, nn.GlobalAveragePooling2D(), nn.Dense(o.classes, "softmax", {name = "predictions"}))
    return nn.Model(x, y, {name = "resnet50"})
end

--- nn.applications.inception_block(x, {n1, n3_reduce, n3, n5_reduce, n5, pool}): four branches over the same input, of 1 x 1, 3 x 3 and 5 x 5
--- convolutions and a pooling, side by side in the channels. Source: Szegedy et al. 2015, figure 2b.
function applications.inception_block(x, n)
    if type(n) ~= "table" or #n ~= 6 then refuse("nn.applications.inception_block wants six widths in a table behind its input") end
    local relu = {activation = "relu"}
    local function branch(filters, size) return conv(filters, size, {activation = "relu"}) end
    return nn.Concatenate()(
        branch(n[1], 1)(x),
        chain(x, branch(n[2], 1), branch(n[3], 3)),
        chain(x, branch(n[4], 1), branch(n[5], 5)),
        chain(x, nn.MaxPooling2D(3, {strides = 1, padding = "same"}), branch(n[6], 1)))
end

--- nn.applications.GoogLeNet{input_shape = {224, 224, 3}, classes = 1000, share = 1}: nine inception blocks; 6,998,552 parameters without the two
--- heads that only training used. share = 1/8 makes every width an eighth, for a lesson. Source: Szegedy et al. 2015, table 1.
function applications.GoogLeNet(given)
    local o = options("nn.applications.GoogLeNet", given, {input_shape = {224, 224, 3}, classes = 1000, share = 1.0, dropout = 0.4})
    local function width(n) return math.max(1, math.floor(n * o.share + 0.5)) end
    local function block(y, ...)
        local n = {...}
        for i = 1, 6 do n[i] = width(n[i]) end
        return applications.inception_block(y, n)
    end
    local function pool(y) return nn.MaxPooling2D(3, {strides = 2, padding = "same"})(y) end
    local x = nn.Input(o.input_shape)
    local y = pool(conv(width(64), 7, {strides = 2, activation = "relu"})(x))
    y = pool(chain(y, conv(width(64), 1, {activation = "relu"}), conv(width(192), 3, {activation = "relu"})))
    y = block(y, 64, 96, 128, 16, 32, 32)
    y = pool(block(y, 128, 128, 192, 32, 96, 64))
    y = block(y, 192, 96, 208, 16, 48, 64)
    y = block(y, 160, 112, 224, 24, 64, 64)
    y = block(y, 128, 128, 256, 24, 64, 64)
    y = block(y, 112, 144, 288, 32, 64, 64)
    y = pool(block(y, 256, 160, 320, 32, 128, 128))
    y = block(y, 256, 160, 320, 32, 128, 128)
    y = block(y, 384, 192, 384, 48, 128, 128)
    y = chain(y, nn.GlobalAveragePooling2D(), nn.Dropout(o.dropout), nn.Dense(o.classes, "softmax"))
    return nn.Model(x, y, {name = "googlenet"})
end

--- nn.applications.MobileNet{input_shape = {224, 224, 3}, classes = 1000, alpha = 1.0, dropout = 0.001}: thirteen pairs of a depthwise and a 1 x 1
--- convolution; 4,253,864 parameters. alpha = 0.25 and input_shape = {32, 32, 3} fit a lesson. Source: Howard et al. 2017; Keras's MobileNet.
function applications.MobileNet(given)
    local o = options("nn.applications.MobileNet", given, {input_shape = {224, 224, 3}, classes = 1000, alpha = 1.0, dropout = 0.001})
    local function width(n) return math.floor(n * o.alpha) end
    local x = nn.Input(o.input_shape)
    local function relu6() return nn.ReLU{max_value = 6} end
    local y = chain(x, conv(width(32), 3, {strides = 2, use_bias = false}), nn.BatchNormalization(), relu6())
    for _, pair in ipairs{{64, 1}, {128, 2}, {128, 1}, {256, 2}, {256, 1}, {512, 2}, {512, 1}, {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}} do
        y = chain(y, nn.DepthwiseConv2D(3, {strides = pair[2], padding = "same", use_bias = false}), nn.BatchNormalization(), relu6(),
                  conv(width(pair[1]), 1, {use_bias = false}), nn.BatchNormalization(), relu6())
    end
    y = chain(y, nn.GlobalAveragePooling2D({keepdims = true}), nn.Dropout(o.dropout), conv(o.classes, 1), nn.Flatten(), nn.Activation("softmax"))
    return nn.Model(x, y, {name = "mobilenet"})
end

--- nn.applications.UNet{input_shape = {128, 128, 3}, classes = 1, width = 64, depth = 4}: down by pooling, up by transposed convolutions, with what was
--- on the way down put beside what comes up; one map for each class, of the input's size. Source: Ronneberger et al. 2015, with padding.
function applications.UNet(given)
    local o = options("nn.applications.UNet", given, {input_shape = {128, 128, 3}, classes = 1, width = 64, depth = 4})
    local part = 2 ^ o.depth
    if o.input_shape[1] % part ~= 0 or o.input_shape[2] % part ~= 0 then
        refuse("nn.applications.UNet halves images %d times: height and width must be multiples of %.0f", o.depth, part)
    end
    local function double(y, filters)
        return chain(y, conv(filters, 3, {activation = "relu"}), conv(filters, 3, {activation = "relu"}))
    end
    local x = nn.Input(o.input_shape)
    local y, skips = x, {}
    for level = 0, o.depth - 1 do
        skips[level] = double(y, o.width << level)
        y = nn.MaxPooling2D(2)(skips[level])
    end
    y = double(y, o.width << o.depth)
    for level = o.depth - 1, 0, -1 do
        y = nn.Conv2DTranspose(o.width << level, 2, {strides = 2, padding = "same"})(y)
        y = double(nn.Concatenate()(skips[level], y), o.width << level)
    end
    return nn.Model(x, conv(o.classes, 1, {activation = o.classes == 1 and "sigmoid" or "softmax"})(y), {name = "unet"})
end

--- nn.applications.GPT{vocabulary = 50257, length = 1024, layers = 12, heads = 12, width = 768, dropout = 0.1}: decoder blocks on learnt positions;
--- token vectors serve as output weights too; logits come out. 124,439,808 parameters. The shape of nanoGPT on a laptop:
--- {vocabulary = 65, length = 64, layers = 4, heads = 4, width = 128, dropout = 0}. Source: Radford et al. 2019.
function applications.GPT(given)
    local o = options("nn.applications.GPT", given, {vocabulary = 50257, length = 1024, layers = 12, heads = 12, width = 768, dropout = 0.1})
    local tokens = nn.Input({o.length}, {dtype = "int32", name = "tokens"})
    local table_ = nn.ReversibleEmbedding(o.vocabulary, o.width, {embeddings_initializer = "random_normal(stddev=0.02)", name = "token_embedding"})
    local vectors = table_(tokens)
    local y = nn.Add()(vectors, nn.PositionEmbedding(o.length, {initializer = "random_normal(stddev=0.02)", name = "position_embedding"})(vectors))
    if o.dropout > 0 then y = nn.Dropout(o.dropout)(y) end
    for i = 1, o.layers do
        y = nn.TransformerDecoder(4 * o.width, o.heads, {dropout = o.dropout, activation = "gelu", normalize_first = true, kernel_initializer = "random_normal(stddev=0.02)",
                                                         name = "block_" .. i})(y)
    end
    y = nn.LayerNormalization{epsilon = 1e-5, name = "final_norm"}(y)
    return nn.Model(tokens, table_(y), {name = "gpt"})
end

--- nn.applications.BERT{vocabulary = 30522, length = 512, layers = 12, heads = 12, width = 768, dropout = 0.1, segments = 2}: encoder blocks; called on
--- {tokens, segments} it gives the sequence and a pooled vector of the first token. 109,482,240 parameters. Token 0 is padding.
--- Source: Devlin et al. 2019.
function applications.BERT(given)
    local o = options("nn.applications.BERT", given, {vocabulary = 30522, length = 512, layers = 12, heads = 12, width = 768, dropout = 0.1, segments = 2})
    local init = "truncated_normal(stddev=0.02)"
    local tokens = nn.Input({o.length}, {dtype = "int32", name = "tokens"})
    local segments = nn.Input({o.length}, {dtype = "int32", name = "segments"})
    local words = nn.Embedding(o.vocabulary, o.width, {embeddings_initializer = init, name = "token_embedding"})(tokens)
    -- Who sees whom, [batch, length, length]: every step the tokens that are no padding. A mask of the words alone would end at the sum
    -- with the segments, which have none.
    local seen = nn.Lambda(function(t)
        local counts = op.cast(op.not_equal(t, 0), "float32")
        return counts:reshape{-1, 1, o.length} * (counts:reshape{-1, o.length, 1} * 0 + 1)
    end, {name = "padding_mask"})(tokens)
    local y = nn.Add()(words, nn.PositionEmbedding(o.length, {initializer = init, name = "position_embedding"})(words),
                       nn.Embedding(o.segments, o.width, {embeddings_initializer = init, name = "segment_embedding"})(segments))
    y = chain(y, nn.LayerNormalization{epsilon = 1e-12, name = "embedding_norm"}, nn.Dropout(o.dropout))
    for i = 1, o.layers do
        y = nn.TransformerEncoder(4 * o.width, o.heads, {dropout = o.dropout, activation = "gelu", layer_norm_epsilon = 1e-12, kernel_initializer = init,
                                                         name = "block_" .. i})(y, seen)
    end
    local first = o.length > 1 and nn.Cropping1D({0, o.length - 1})(y) or y
    local pooled = chain(first, nn.Flatten(), nn.Dense(o.width, "tanh", {kernel_initializer = init, name = "pooled_dense"}))
    return nn.Model({tokens, segments}, {y, pooled}, {name = "bert"})
end

--- nn.applications.DCGAN{size = 64, channels = 3, latent = 100, width = 64}: generator, discriminator = a pair for images of size x size (16, 32, 64);
--- 3,576,704 and 2,765,568 trained parameters at 64. The discriminator gives a logit. Source: Radford et al. 2016; PyTorch's dcgan example.
function applications.DCGAN(given)
    local o = options("nn.applications.DCGAN", given, {size = 64, channels = 3, latent = 100, width = 64})
    local steps = o.size == 64 and 4 or o.size == 32 and 3 or o.size == 16 and 2
    if not steps then refuse("nn.applications.DCGAN makes images of size 16, 32 or 64, not %s", what(o.size)) end
    local small, norm = {use_bias = false, kernel_initializer = "random_normal(stddev=0.02)"}, {momentum = 0.9, epsilon = 1e-5, gamma_initializer = "random_normal(mean=1,stddev=0.02)"}
    local function with(more)
        local out = {}
        for name, value in pairs(small) do out[name] = value end
        for name, value in pairs(more) do out[name] = value end
        return out
    end
    local z = nn.Input({o.latent}, {name = "noise"})
    local y = nn.Reshape({1, 1, o.latent})(z)
    for i = steps, 1, -1 do
        local first = i == steps
        y = chain(y, nn.Conv2DTranspose(o.width << (i - 1), 4, with{strides = first and 1 or 2, padding = first and "valid" or "same"}), nn.BatchNormalization(norm), nn.Activation("relu"))
    end
    local generator = nn.Model(z, nn.Conv2DTranspose(o.channels, 4, with{strides = 2, padding = "same", activation = "tanh"})(y), {name = "generator"})
    local x = nn.Input({o.size, o.size, o.channels}, {name = "image"})
    y = x
    for i = 1, steps do
        y = nn.Conv2D(o.width << (i - 1), 4, with{strides = 2, padding = "same"})(y)
        if i > 1 then y = nn.BatchNormalization(norm)(y) end
        y = nn.LeakyReLU(0.2)(y)
    end
    y = chain(y, nn.Conv2D(1, 4, with{padding = "valid"}), nn.Flatten())
    return generator, nn.Model(x, y, {name = "discriminator"})
end
