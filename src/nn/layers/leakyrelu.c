// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "negative_slope", .type = ARG_FLOAT, .fallback = "0.3", .least = 0, .most = 1e30, .help = "slope where x is negative" },
};
static const LayerCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .args = "negative_slope=0.01", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)in, (void)n_in;
    return ops_set(layer, &op_leaky_relu, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_leaky_relu, in, n_in, &layer->op_args, err);
}

const LayerKind layer_leakyrelu = {
    .name = "LeakyReLU",
    .prefix = "leaky_re_lu",
    .doc = "x where it is positive, else negative_slope * x: units that are off still learn.\n"
           "Shapes: x [B, any] -> y the same.  Source: Maas et al. 2013.",
    .example = "local m = nn.Sequential(); m:add(nn.LeakyReLU(0.5, {input_shape = {2}})); assert(m:predict(tensor{{-1, 3}})[1][1] == -0.5)",
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
