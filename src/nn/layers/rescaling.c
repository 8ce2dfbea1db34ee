// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "scale", .type = ARG_FLOAT, .least = -1e30, .most = 1e30, .help = "x is multiplied by it: 1/255 makes 0 … 1 of bytes" },
    { .name = "offset", .type = ARG_FLOAT, .fallback = "0", .least = -1e30, .most = 1e30, .help = "added after that" },
};
static const LayerCase cases[] = {
    { .args = "scale=0.0625", .in = { { 4, { 2, 3, 3, 1 } } }, .n_in = 1 },
    { .args = "scale=2 offset=-1", .in = { { 2, { 2, 5 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)in, (void)n_in;
    ops_begin(layer, &op_scale);
    return ops_hand_down(layer, "scale", "scale", err) && ops_hand_down(layer, "offset", "offset", err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    return tape_op(tape, &op_scale, in, 1, &layer->op_args, err);
}

const LayerKind layer_rescaling = {
    .name = "Rescaling",
    .prefix = "rescaling",
    .doc = "scale * x + offset, as float32; x may be bytes or whole numbers (images as they are stored).\n"
           "Shapes: x [B, any] -> y the same.",
    .example = "local m = nn.Sequential(); m:add(nn.Rescaling(1/4, {input_shape = {2}})); assert(m:predict(tensor{{2, 4}})[1][2] == 1)",
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
