// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "axis", .type = ARG_INT, .fallback = "-1", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .help = "along which axis; -1 the last" },
};
static const LayerCase cases[] = {
    { .in = { { 2, { 3, 5 } } }, .n_in = 1 },
    { .args = "axis=1", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)in, (void)n_in;
    return ops_set(layer, &op_l2_normalize, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_l2_normalize, in, n_in, &layer->op_args, err);
}

const LayerKind layer_unitnorm = {
    .name = "UnitNormalization",
    .prefix = "unit_normalization",
    .doc = "Each sample's axis is divided by its length: the squares sum to 1.\n"
           "Shapes: x [B, any] -> y the same.",
    .example = "local m = nn.Sequential(); m:add(nn.UnitNormalization({input_shape = {2}})); assert(math.abs(m:predict(tensor{{3, 4}})[1][2] - 0.8) < 1e-6)",
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
