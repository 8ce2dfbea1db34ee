// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "nn/init.h"
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "axis", .type = ARG_INTS, .fallback = "-1", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .help = "the axes that are normalised together: the last, or several last" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "0.001", .least = 0, .most = INFINITY, .help = "added to the variance" },
    { .name = "center", .type = ARG_BOOL, .fallback = "true", .help = "learn an offset (beta)" },
    { .name = "scale", .type = ARG_BOOL, .fallback = "true", .help = "learn a factor (gamma)" },
    { .name = "beta_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial offsets" },
    { .name = "gamma_initializer", .type = ARG_TEXT, .fallback = "ones", .choices = initializer_names, .help = "initial factors" },
};
static const LayerCase cases[] = {
    { .in = { { 2, { 3, 5 } } }, .n_in = 1 },
    { .args = "axis=-2,-1 epsilon=0.01", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
    { .args = "center=false", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
    { .args = "scale=false", .in = { { 2, { 3, 5 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int n = ops_last_axes(layer, &in[0], err);
    Shape row = { .rank = n };
    (void)n_in;
    if (!n || !ops_set(layer, &op_layer_norm, err) ||
        !args_set_number(&layer->op_args, args_find(&layer->op_args, "axes"), n, layer->name, err))
        return false;
    for (int i = 0; i < n; i++)
        row.d[i] = in[0].d[in[0].rank - n + i];
    if (args_bool(&layer->args, "scale") && !layer_add_param(layer, "gamma", row, args_text(&layer->args, "gamma_initializer"), true, err))
        return false;
    return !args_bool(&layer->args, "center") || layer_add_param(layer, "beta", row, args_text(&layer->args, "beta_initializer"), true, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *operands[3] = { in[0] };
    (void)n_in;
    for (int i = 0; i < layer->n_params; i++) {
        int at = !strcmp(layer->params[i].name, "beta") ? 2 : 1;
        if (!(operands[at] = layer_param(layer, tape, i, err)))
            return NULL;
    }
    return tape_op(tape, &op_layer_norm, operands, 3, &layer->op_args, err);
}

const LayerKind layer_layernorm = {
    .name = "LayerNormalization",
    .prefix = "layer_normalization",
    .doc = "Each sample (each time step, each pixel) gets mean 0 and variance 1 over its last axis, then a learnt scale and offset.\n"
           "Shapes: x [B, .., C], gamma and beta [C], or [.., C] for several axes -> y like x.  Source: Ba et al. 2016.",
    .example = "local m = nn.Sequential(); m:add(nn.LayerNormalization({input_shape = {4}})); assert(m:count_params() == 8)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .mask = LAYER_MASK_PASS,
    .build = build,
    .forward = forward,
};
