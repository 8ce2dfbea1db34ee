// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const LayerCase cases[] = {
    { .in = { { 4, { 2, 3, 3, 2 } } }, .n_in = 1 },
    { .in = { { 2, { 2, 5 } } }, .n_in = 1 },
    { .in = { { 1, { 3 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)n_in;
    Shape sample = in[0];
    sample.d[0] = 1;
    ops_begin(layer, &op_reshape);
    return shape_check(&sample, err);
}

/* The sizes are this input's own: the layer may be used on several shapes. */
static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    const Shape *shape = &in[0]->value.shape;
    if (shape->rank == 2)
        return in[0];
    ArgValue *sizes = &layer->op_args.v[0];
    sizes->given = true;
    sizes->u.ints.n = 2;
    sizes->u.ints.v[0] = shape->d[0];
    sizes->u.ints.v[1] = shape_count_from(shape, 1);
    return tape_op(tape, &op_reshape, in, 1, &layer->op_args, err);
}

const LayerKind layer_flatten = {
    .name = "Flatten",
    .prefix = "flatten",
    .doc = "All axes of a sample in one: what Dense wants after images.\n"
           "Shapes: x [B, H, W, C] -> y [B, H * W * C], in this order; likewise for other ranks. Nothing is copied.",
    .example = "local m = nn.Sequential(); m:add(nn.Flatten({input_shape = {2, 3}})); assert(#m:predict(tensor{{{1, 2, 3}, {4, 5, 6}}})[1] == 6)",
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
