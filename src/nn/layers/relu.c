// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "max_value", .type = ARG_FLOAT, .fallback = "nil", .least = 0, .most = 1e30, .help = "the largest result; nil: none" },
    { .name = "negative_slope", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1e30, .help = "slope below the threshold" },
    { .name = "threshold", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1e30, .help = "values above it stay" },
};
static const LayerCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .args = "max_value=0.75 negative_slope=0.1 threshold=0.25", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)in, (void)n_in;
    return ops_set(layer, &op_relu, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_relu, in, n_in, &layer->op_args, err);
}

const LayerKind layer_relu = {
    .name = "ReLU",
    .prefix = "re_lu",
    .doc = "x where it is positive, else 0. With arguments: min(x, max_value) above the threshold, negative_slope * (x - threshold) elsewhere.\n"
           "Shapes: x [B, any] -> y the same.",
    .example = "local m = nn.Sequential(); m:add(nn.ReLU(1, {input_shape = {2}})); local y = m:predict(tensor{{-1, 3}}); assert(y[1][1] == 0 and y[1][2] == 1)",
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
