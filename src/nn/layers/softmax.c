// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "axis", .type = ARG_INT, .fallback = "-1", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .help = "along which axis; 0 is the batch, -1 the last" },
};
static const LayerCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .args = "axis=1", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int axis;
    (void)n_in;
    return shape_axis(&in[0], args_int(&layer->args, "axis"), &axis, layer->name, err) && ops_set(layer, &op_softmax, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_softmax, in, n_in, &layer->op_args, err);
}

const LayerKind layer_softmax = {
    .name = "Softmax",
    .prefix = "softmax",
    .doc = "Scores to probabilities: exp(x) divided by its sum along the axis.\n"
           "Shapes: x [B, any] -> y the same.",
    .example = "local m = nn.Sequential(); m:add(nn.Softmax({input_shape = {2}})); assert(m:predict(tensor{{7, 7}})[1][1] == 0.5)",
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
