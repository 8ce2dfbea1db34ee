// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "padding", .type = ARG_INTS, .fallback = "1,1", .least = 0, .most = 1 << 20, .help = "one number, {height, width}, or {top, bottom, left, right}, also as {{top, bottom}, {left, right}}" },
};
static const LayerCase cases[] = {
    { .in = { { 4, { 2, 2, 3, 2 } } }, .n_in = 1 },
    { .args = "padding=1,2", .in = { { 4, { 1, 2, 3, 2 } } }, .n_in = 1 },
    { .args = "padding=1,0,2,3", .in = { { 4, { 1, 2, 3, 2 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int64_t edge[4];
    (void)n_in;
    ops_begin(layer, &op_pad);
    return ops_want_images(layer, &in[0], err) && ops_edges(layer, "padding", edge, err) &&
           args_set_numbers(&layer->op_args, 0, (double[]){ 0, (double)edge[0], (double)edge[2] }, 3, layer->name, err) &&
           args_set_numbers(&layer->op_args, 1, (double[]){ 0, (double)edge[1], (double)edge[3] }, 3, layer->name, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_pad, in, n_in, &layer->op_args, err);
}

const LayerKind layer_zeropad2d = {
    .name = "ZeroPadding2D",
    .prefix = "zero_padding2d",
    .doc = "Zeros around images.\n"
           "Shapes: x [B, H, W, C] -> y [B, top + H + bottom, left + W + right, C].",
    .example = "local m = nn.Sequential(); m:add(nn.ZeroPadding2D({1, 2}, {input_shape = {3, 3, 1}})); assert(m.output_shape[1] == 5 and m.output_shape[2] == 7)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
