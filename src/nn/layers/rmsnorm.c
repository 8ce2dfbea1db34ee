// SPDX-License-Identifier: MIT
#include <math.h>

#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "axis", .type = ARG_INTS, .fallback = "-1", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .help = "the axes that are normalised together: the last, or several last" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "1e-06", .least = 0, .most = INFINITY, .help = "added to the mean of squares" },
};
static const LayerCase cases[] = {
    { .in = { { 2, { 3, 5 } } }, .n_in = 1 },
    { .args = "epsilon=0.01", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
    { .args = "axis=1,2", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int n = ops_last_axes(layer, &in[0], err);
    Shape row = { .rank = n };
    (void)n_in;
    if (!n || !ops_set(layer, &op_rms_norm, err) ||
        !args_set_number(&layer->op_args, args_find(&layer->op_args, "axes"), n, layer->name, err))
        return false;
    for (int i = 0; i < n; i++)
        row.d[i] = in[0].d[in[0].rank - n + i];
    return layer_add_param(layer, "scale", row, "ones", true, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *scale = layer_param(layer, tape, 0, err);
    (void)n_in;
    return scale ? tape_op(tape, &op_rms_norm, (Node *[]){ in[0], scale }, 2, &layer->op_args, err) : NULL;
}

const LayerKind layer_rmsnorm = {
    .name = "RMSNormalization",
    .prefix = "rms_normalization",
    .doc = "Each sample's last axis is divided by its root mean square, then scaled by learnt factors.\n"
           "Shapes: x [B, .., C], scale [C], or [.., C] for several axes -> y like x.  Source: Zhang and Sennrich 2019.",
    .example = "local m = nn.Sequential(); m:add(nn.RMSNormalization({input_shape = {4}})); assert(m:count_params() == 4)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
