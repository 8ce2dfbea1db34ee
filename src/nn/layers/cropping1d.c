// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "nn/layer.h"
#include "nn/line.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "cropping", .type = ARG_INTS, .fallback = "1,1", .least = 0, .most = 1 << 20, .count = 2, .help = "how many: one number, or {before, after}" },
};
static const LayerCase cases[] = {
    { .in = { { 3, { 2, 4, 2 } } }, .n_in = 1 },
    { .args = "cropping=0,2", .in = { { 3, { 2, 4, 2 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    const int64_t *n = args_ints(&layer->args, "cropping", NULL);
    (void)n_in;
    if (!line_want(layer, &in[0], err))
        return false;
    if (n[0] + n[1] >= in[0].d[1])
        return layer_refuse(layer, err, "cuts off %" PRId64 " of %" PRId64 " steps: nothing would be left", n[0] + n[1], in[0].d[1]);
    ops_begin(layer, &op_slice);
    return args_set_numbers(&layer->op_args, args_find(&layer->op_args, "begin"), (double[]){ 0, (double)n[0] }, 2, layer->name, err) &&
           args_set_numbers(&layer->op_args, args_find(&layer->op_args, "end"),
                            (double[]){ (double)TENSOR_ELEMENTS_MOST, (double)(in[0].d[1] - n[1]) }, 2, layer->name, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_slice, in, n_in, &layer->op_args, err);
}

const LayerKind layer_cropping1d = {
    .name = "Cropping1D",
    .prefix = "cropping1d",
    .doc = "Cuts steps off the beginning and the end of each sequence.\n"
           "Shapes: x [B, T, C] -> y [B, T - before - after, C].",
    .example = "local m = nn.Sequential(); m:add(nn.Cropping1D({1, 2}, {input_shape = {5, 1}})); assert(m.output_shape[1] == 2)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
