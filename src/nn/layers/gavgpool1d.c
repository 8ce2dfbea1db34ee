// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/line.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "keepdims", .type = ARG_BOOL, .fallback = "false", .help = "keep the axes that are reduced, as 1" },
};
static const LayerCase cases[] = {
    { .in = { { 3, { 2, 4, 3 } } }, .n_in = 1 },
    { .args = "keepdims=true", .in = { { 3, { 2, 4, 3 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)n_in;
    return line_want(layer, &in[0], err) && ops_set(layer, &op_mean, err) &&
           args_set_numbers(&layer->op_args, args_find(&layer->op_args, "axis"), (double[]){ 1 }, 1, layer->name, err);
}

/* sum of x mask / sum of mask */
static Node *mean_of_some(Layer *layer, Tape *tape, Node *x, Err *err)
{
    Args shape;
    const int64_t *d = x->mask->value.shape.d;
    args_init(&shape, op_reshape.args, op_reshape.n_args);
    shape.v[0].given = true;
    shape.v[0].u.ints.n = 3;
    shape.v[0].u.ints.v[0] = d[0], shape.v[0].u.ints.v[1] = d[1], shape.v[0].u.ints.v[2] = 1;
    Node *mask = tape_op(tape, &op_reshape, &x->mask, 1, &shape, err);
    Node *kept = mask ? tape_op(tape, &op_multiply, (Node *[]){ x, mask }, 2, NULL, err) : NULL;
    Node *sum = kept ? tape_op(tape, &op_sum, &kept, 1, &layer->op_args, err) : NULL;
    Node *count = sum ? tape_op(tape, &op_sum, &mask, 1, &layer->op_args, err) : NULL;
    return count ? tape_op(tape, &op_divide, (Node *[]){ sum, count }, 2, NULL, err) : NULL;
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    return in[0]->mask ? mean_of_some(layer, tape, in[0], err) : tape_op(tape, &op_mean, in, 1, &layer->op_args, err);
}

const LayerKind layer_gavgpool1d = {
    .name = "GlobalAveragePooling1D",
    .prefix = "global_average_pooling1d",
    .doc = "The mean of each feature over the time steps; steps that a mask leaves out do not count.\n"
           "Shapes: x [B, T, C] -> y [B, C]; with keepdims [B, 1, C].",
    .example = "local m = nn.Sequential(); m:add(nn.GlobalAveragePooling1D({input_shape = {2, 1}})); assert(m:predict(tensor{{{1}, {3}}})[1][1] == 2)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .mask = LAYER_MASK_OWN,
    .build = build,
    .forward = forward,
};
