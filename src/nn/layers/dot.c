// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "axes", .type = ARG_INTS, .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .count = 2, .help = "the axis of both, or one of each: {1, 2}; 0 is the batch and cannot be taken" },
    { .name = "normalize", .type = ARG_BOOL, .fallback = "false", .help = "divide the vectors by their length before" },
};
static const LayerCase cases[] = {
    { .args = "axes=1", .in = { { 2, { 3, 4 } }, { 2, { 3, 4 } } }, .n_in = 2 },
    { .args = "axes=2", .in = { { 3, { 2, 3, 4 } }, { 3, { 2, 5, 4 } } }, .n_in = 2 },
    { .args = "axes=1,2", .in = { { 3, { 2, 4, 3 } }, { 3, { 2, 5, 4 } } }, .n_in = 2 },
    { .args = "axes=-1 normalize=true", .in = { { 2, { 3, 4 } }, { 2, { 3, 4 } } }, .n_in = 2 },
    { .args = "axes=2,1", .in = { { 3, { 2, 3, 4 } }, { 2, { 2, 4 } } }, .n_in = 2 },
};

static bool axes_of(const Layer *layer, const Shape *const in[2], int axis[2], Err *err)
{
    const int64_t *axes = args_ints(&layer->args, "axes", NULL);
    for (int i = 0; i < 2; i++) {
        if (!shape_axis(in[i], axes[i], &axis[i], layer->name, err))
            return false;
        if (axis[i] == 0)
            return layer_refuse(layer, err, "cannot sum along axis 0, which is the batch");
    }
    return true;
}

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int axis[2];
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    (void)n_in;
    if (!axes_of(layer, (const Shape *const[]){ &in[0], &in[1] }, axis, err))
        return false;
    if (in[0].d[axis[0]] != in[1].d[axis[1]])
        return layer_refuse(layer, err, "sums along axis %d of %s and axis %d of %s, which must have the same size", axis[0],
                            layer_shape_text(&in[0], a), axis[1], layer_shape_text(&in[1], b));
    if (in[0].rank + in[1].rank - 3 > SHAPE_MOST)
        return layer_refuse(layer, err, "would have more than %d axes in its output", SHAPE_MOST);
    return true;
}

/* x [B, .., n, ..] -> [B, others, n], or [B, n, others] where n comes first; `rest` takes the others' sizes. */
static Node *turn(Layer *layer, Tape *tape, Node *x, int axis, bool first, Shape *rest, Err *err)
{
    double axes[SHAPE_MOST] = { 0 };
    const Shape shape = x->value.shape;
    int64_t others = 1;
    int n = 1;
    Args op_args;
    if (first)
        axes[n++] = axis;
    for (int i = 1; i < shape.rank; i++)
        if (i != axis) {
            axes[n++] = i;
            others *= shape.d[i];
            rest->d[rest->rank++] = shape.d[i];
        }
    if (!first)
        axes[n++] = axis;
    args_init(&op_args, op_transpose.args, op_transpose.n_args);
    if (!args_set_numbers(&op_args, 0, axes, n, layer->name, err) || !(x = tape_op(tape, &op_transpose, &x, 1, &op_args, err)))
        return NULL;
    args_init(&op_args, op_reshape.args, op_reshape.n_args);
    double sizes[3] = { (double)shape.d[0], (double)(first ? shape.d[axis] : others), (double)(first ? others : shape.d[axis]) };
    return args_set_numbers(&op_args, 0, sizes, 3, layer->name, err) ? tape_op(tape, &op_reshape, &x, 1, &op_args, err) : NULL;
}

/* Keras divides by no less than 1e-7. */
static Node *normalize(Layer *layer, Tape *tape, Node *x, int axis, Err *err)
{
    Args op_args;
    args_init(&op_args, op_l2_normalize.args, op_l2_normalize.n_args);
    return args_set_number(&op_args, 0, axis, layer->name, err) && args_set_number(&op_args, 1, 1e-7, layer->name, err)
               ? tape_op(tape, &op_l2_normalize, &x, 1, &op_args, err)
               : NULL;
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    int axis[2];
    Shape out = { .rank = 1, .d = { in[0]->value.shape.d[0] } };
    Node *side[2] = { in[0], in[1] };
    (void)n_in;
    if (!axes_of(layer, (const Shape *const[]){ &in[0]->value.shape, &in[1]->value.shape }, axis, err))
        return NULL;
    for (int i = 0; i < 2; i++) {
        if (args_bool(&layer->args, "normalize") && !(side[i] = normalize(layer, tape, side[i], axis[i], err)))
            return NULL;
        if (!(side[i] = turn(layer, tape, side[i], axis[i], i == 1, &out, err)))
            return NULL;
    }
    Node *y = tape_op(tape, &op_matmul, side, 2, NULL, err);
    Args op_args;
    double sizes[SHAPE_MOST];
    if (out.rank == 1)
        out.d[out.rank++] = 1;
    for (int i = 0; i < out.rank; i++)
        sizes[i] = (double)out.d[i];
    args_init(&op_args, op_reshape.args, op_reshape.n_args);
    return y && args_set_numbers(&op_args, 0, sizes, out.rank, layer->name, err) ? tape_op(tape, &op_reshape, &y, 1, &op_args, err) : NULL;
}

const LayerKind layer_dot = {
    .name = "Dot",
    .prefix = "dot",
    .doc = "Products of two inputs' vectors, summed along one axis of each: scores of attention, cosine of an angle (normalize = true).\n"
           "Shapes: x [B, .., n, ..], y [B, .., n, ..] -> [B, x's other axes, y's other axes]; [B, 1] where none is left.",
    .example = "local x = nn.Input({2}); local m = nn.Model(x, nn.Dot(1)({x, x})); assert(m:predict(tensor{{3, 4}})[1][1] == 25)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 2,
    .in_most = 2,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
