// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/line.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "padding", .type = ARG_INTS, .fallback = "1", .least = 0, .most = 1 << 20, .count = 2, .help = "how many: one number, or {before, after}" },
};
static const LayerCase cases[] = {
    { .in = { { 3, { 2, 3, 2 } } }, .n_in = 1 },
    { .args = "padding=0,2", .in = { { 3, { 2, 3, 2 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    const int64_t *n = args_ints(&layer->args, "padding", NULL);
    (void)n_in;
    ops_begin(layer, &op_pad);
    return line_want(layer, &in[0], err) && args_set_numbers(&layer->op_args, 0, (double[]){ 0, (double)n[0] }, 2, layer->name, err) &&
           args_set_numbers(&layer->op_args, 1, (double[]){ 0, (double)n[1] }, 2, layer->name, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_pad, in, n_in, &layer->op_args, err);
}

const LayerKind layer_zeropad1d = {
    .name = "ZeroPadding1D",
    .prefix = "zero_padding1d",
    .doc = "Zeros in front of and behind each sequence.\n"
           "Shapes: x [B, T, C] -> y [B, before + T + after, C].",
    .example = "local m = nn.Sequential(); m:add(nn.ZeroPadding1D(2, {input_shape = {3, 1}})); assert(m.output_shape[1] == 7)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
