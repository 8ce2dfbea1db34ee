// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/line.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "size", .type = ARG_INT, .fallback = "2", .least = 1, .most = 65536, .help = "how many times" },
};
static const LayerCase cases[] = {
    { .in = { { 3, { 2, 3, 2 } } }, .n_in = 1 },
    { .args = "size=3", .in = { { 3, { 1, 2, 2 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)n_in;
    ops_begin(layer, &op_repeat);
    return line_want(layer, &in[0], err) && ops_hand_down(layer, "size", "repeats", err) &&
           args_set_number(&layer->op_args, args_find(&layer->op_args, "axis"), 1, layer->name, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_repeat, in, n_in, &layer->op_args, err);
}

const LayerKind layer_upsample1d = {
    .name = "UpSampling1D",
    .prefix = "up_sampling1d",
    .doc = "Every step of a sequence several times.\n"
           "Shapes: x [B, T, C] -> y [B, T * size, C].",
    .example = "local m = nn.Sequential(); m:add(nn.UpSampling1D(3, {input_shape = {2, 1}})); assert(m.output_shape[1] == 6)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
