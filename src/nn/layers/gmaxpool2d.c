// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "keepdims", .type = ARG_BOOL, .fallback = "false", .help = "keep the axes that are reduced, as 1" },
};
static const LayerCase cases[] = {
    { .in = { { 4, { 2, 3, 4, 3 } } }, .n_in = 1 },
    { .args = "keepdims=true", .in = { { 4, { 2, 3, 4, 3 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)n_in;
    return ops_want_images(layer, &in[0], err) && ops_set(layer, &op_max, err) &&
           args_set_numbers(&layer->op_args, args_find(&layer->op_args, "axis"), (double[]){ 1, 2 }, 2, layer->name, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_max, in, n_in, &layer->op_args, err);
}

const LayerKind layer_gmaxpool2d = {
    .name = "GlobalMaxPooling2D",
    .prefix = "global_max_pooling2d",
    .doc = "The largest value of each channel over the whole image.\n"
           "Shapes: x [B, H, W, C] -> y [B, C]; with keepdims [B, 1, 1, C].",
    .example = "local m = nn.Sequential(); m:add(nn.GlobalMaxPooling2D({input_shape = {4, 4, 3}})); assert(m.output_shape[1] == 3)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
