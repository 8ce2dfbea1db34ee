// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "keepdims", .type = ARG_BOOL, .fallback = "false", .help = "keep height and width, as 1" },
};
static const LayerCase cases[] = {
    { .in = { { 4, { 2, 3, 4, 3 } } }, .n_in = 1 },
    { .args = "keepdims=true", .in = { { 4, { 2, 3, 3, 2 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)n_in;
    ops_begin(layer, &op_mean);
    return ops_want_images(layer, &in[0], err) && ops_hand_down(layer, "keepdims", "keepdims", err) &&
           args_set_numbers(&layer->op_args, args_find(&layer->op_args, "axis"), (double[]){ 1, 2 }, 2, layer->name, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    return tape_op(tape, &op_mean, in, 1, &layer->op_args, err);
}

const LayerKind layer_gavgpool2d = {
    .name = "GlobalAveragePooling2D",
    .prefix = "global_average_pooling2d",
    .doc = "The mean of each channel over the whole image: what can stand in place of Flatten before the last Dense.\n"
           "Shapes: x [B, H, W, C] -> y [B, C]; with keepdims [B, 1, 1, C].",
    .example = "local m = nn.Sequential(); m:add(nn.GlobalAveragePooling2D({input_shape = {2, 2, 1}})); assert(m:predict(tensor{{{{1}, {2}}, {{3}, {6}}}})[1][1] == 3)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
