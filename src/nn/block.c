// SPDX-License-Identifier: MIT
/* Source: Vaswani et al. 2017, figure 1; with normalize_first Xiong et al. 2020. Names: keras_hub/src/layers/modeling/. */
#include "nn/block.h"

#include <stdio.h>

#include "nn/init.h"

const ArgSpec block_args[BLOCK_ARGS] = {
    { .name = "intermediate_dim", .type = ARG_INT, .least = 1, .most = 1 << 28, .help = "width of the feed-forward part" },
    { .name = "num_heads", .type = ARG_INT, .least = 1, .most = 4096, .help = "heads of the attention; they share the features out" },
    { .name = "dropout", .type = ARG_FLOAT, .fallback = "0.0", .least = 0, .most = 1, .open_most = true, .help = "share dropped while training, of attention weights and of each step's result" },
    { .name = "activation", .type = ARG_CHOICE, .fallback = "relu", .choices = activation_list, .help = "in the feed-forward part" },
    { .name = "layer_norm_epsilon", .type = ARG_FLOAT, .fallback = "1e-5", .least = 0, .most = 1, .help = "added to variances" },
    { .name = "kernel_initializer", .type = ARG_TEXT, .fallback = "glorot_uniform", .choices = initializer_names, .help = "initial kernels" },
    { .name = "bias_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial biases" },
    { .name = "normalize_first", .type = ARG_BOOL, .fallback = "false", .help = "normalise before each part (as GPT-2), not behind it" },
};

bool block_check(const Layer *layer, const Shape *in, Err *err)
{
    char got[SHAPE_TEXT];
    int64_t heads = args_int(&layer->args, "num_heads");
    if (in->rank != 3)
        return layer_refuse(layer, err, "wants sequences of shape (time, features), got %s; nn.Embedding makes them of token ids",
                            layer_shape_text(in, got));
    if (in->d[2] < heads)
        return layer_refuse(layer, err, "has %lld heads for %lld features; give at most one head for each feature", (long long)heads,
                            (long long)in->d[2]);
    return true;
}

static const char *joined(char out[64], const char *name, const char *end)
{
    snprintf(out, 64, "%s_%s", name, end);
    return out;
}

static Symbol *normalize(Compose *c, const char *name, Symbol *x, bool wanted)
{
    char own[64];
    if (!wanted)
        return x;
    return compose_new(c, "LayerNormalization", joined(own, name, "layer_norm"), &x, 1, "epsilon=%.17g",
                       args_float(&c->layer->args, "layer_norm_epsilon"));
}

/* residual + dropout(x) */
static Symbol *add_back(Compose *c, const char *name, Symbol *x, Symbol *residual)
{
    char own[64], sum[64];
    Symbol *dropped = compose_new(c, "Dropout", joined(own, name, "dropout"), &x, 1, "rate=%.17g", args_float(&c->layer->args, "dropout"));
    return compose_new(c, "Add", joined(sum, name, "add"), (Symbol *[]){ dropped, residual }, 2, "%s", "");
}

Symbol *block_attend(Compose *c, const char *name, Symbol *x, Symbol *value, Symbol *mask, bool causal)
{
    const Args *a = &c->layer->args;
    bool first = args_bool(a, "normalize_first");
    Symbol *normed = normalize(c, name, x, first), *seen = value ? value : normed;
    if (c->failed)
        return NULL;
    int64_t key_dim = x->shape.d[2] / args_int(a, "num_heads");
    Symbol *y = compose_new(c, "MultiHeadAttention", name, (Symbol *[]){ normed, seen, seen, mask }, mask ? 4 : 3,
                            "num_heads=%lld key_dim=%lld dropout=%.17g kernel_initializer=%s bias_initializer=%s use_causal_mask=%s",
                            (long long)args_int(a, "num_heads"), (long long)key_dim, args_float(a, "dropout"), args_text(a, "kernel_initializer"),
                            args_text(a, "bias_initializer"), causal ? "true" : "false");
    return normalize(c, name, add_back(c, name, y, x), !first);
}

Symbol *block_feed(Compose *c, Symbol *x)
{
    const Args *a = &c->layer->args;
    bool first = args_bool(a, "normalize_first");
    Symbol *y = normalize(c, "feedforward", x, first);
    y = compose_new(c, "Dense", "feedforward_intermediate_dense", &y, 1, "units=%lld activation=%s kernel_initializer=%s bias_initializer=%s",
                    (long long)args_int(a, "intermediate_dim"), args_choice(a, "activation"), args_text(a, "kernel_initializer"),
                    args_text(a, "bias_initializer"));
    y = compose_new(c, "Dense", "feedforward_output_dense", &y, 1, "units=%lld kernel_initializer=%s bias_initializer=%s",
                    (long long)(c->failed ? 1 : x->shape.d[2]), args_text(a, "kernel_initializer"), args_text(a, "bias_initializer"));
    return normalize(c, "feedforward", add_back(c, "feedforward", y, x), !first);
}
