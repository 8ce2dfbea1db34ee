// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "nn/init.h"
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "groups", .type = ARG_INT, .fallback = "32", .least = -1, .most = 65536, .help = "how many groups the channels make; -1: each its own" },
    { .name = "axis", .type = ARG_INT, .fallback = "-1", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .help = "the axis of channels: the last" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "0.001", .least = 0, .most = INFINITY, .help = "added to the variance" },
    { .name = "center", .type = ARG_BOOL, .fallback = "true", .help = "learn an offset (beta)" },
    { .name = "scale", .type = ARG_BOOL, .fallback = "true", .help = "learn a factor (gamma)" },
    { .name = "beta_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial offsets" },
    { .name = "gamma_initializer", .type = ARG_TEXT, .fallback = "ones", .choices = initializer_names, .help = "initial factors" },
};
static const LayerCase cases[] = {
    { .args = "groups=2", .in = { { 4, { 2, 3, 2, 4 } } }, .n_in = 1 },
    { .args = "groups=1 center=false", .in = { { 2, { 3, 6 } } }, .n_in = 1 },
    { .args = "groups=-1 scale=false", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
    { .args = "groups=3 epsilon=0.1", .in = { { 3, { 2, 5, 6 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int64_t groups = args_int(&layer->args, "groups"), channels = in[0].d[in[0].rank - 1], axis = args_int(&layer->args, "axis");
    (void)n_in;
    if (in[0].rank < 2)
        return layer_refuse(layer, err, "wants several numbers for each sample, got single numbers; add nn.Reshape({1}) before it");
    if (axis != -1 && axis != in[0].rank - 1)
        return layer_refuse(layer, err, "takes the last axis as channels; give axis = -1");
    groups = groups == -1 ? channels : groups;
    if (groups < 1 || channels % groups)
        return layer_refuse(layer, err, "has groups = %" PRId64 ", which must divide its %" PRId64 " channels", groups, channels);
    ops_begin(layer, &op_group_norm);
    if (!ops_hand_down(layer, "epsilon", "epsilon", err) ||
        !args_set_number(&layer->op_args, args_find(&layer->op_args, "groups"), (double)groups, layer->name, err))
        return false;
    if (args_bool(&layer->args, "scale") &&
        !layer_add_param(layer, "gamma", SHAPE(channels), args_text(&layer->args, "gamma_initializer"), true, err))
        return false;
    return !args_bool(&layer->args, "center") ||
           layer_add_param(layer, "beta", SHAPE(channels), args_text(&layer->args, "beta_initializer"), true, err);
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
    return tape_op(tape, &op_group_norm, operands, 3, &layer->op_args, err);
}

const LayerKind layer_groupnorm = {
    .name = "GroupNormalization",
    .prefix = "group_normalization",
    .doc = "Groups of channels get mean 0 and variance 1 over a sample, then each channel a learnt scale and offset. groups = -1: each channel\n"
           "its own group. Shapes: x [B, .., C], gamma and beta [C] -> y like x.  Source: Wu and He 2018.",
    .example = "local m = nn.Sequential(); m:add(nn.GroupNormalization(2, {input_shape = {3, 4}})); assert(m:count_params() == 8)",
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
