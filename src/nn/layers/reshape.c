// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "target_shape", .type = ARG_INTS, .least = -1, .most = 1 << 30,
      .help = "sizes of one sample, without the batch; one may be -1: what is left" },
};
static const LayerCase cases[] = {
    { .args = "target_shape=3,2", .in = { { 2, { 4, 6 } } }, .n_in = 1 },
    { .args = "target_shape=2,-1,1", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
    { .args = "target_shape=-1", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
};

static bool refuse(const Layer *layer, const Shape *in, Err *err)
{
    char from[SHAPE_TEXT], to[SHAPE_TEXT];
    Shape target = { .rank = 0 };
    const int64_t *sizes = args_ints(&layer->args, "target_shape", &target.rank);
    for (int i = 0; i < target.rank; i++)
        target.d[i] = sizes[i];
    shape_text(&target, to);
    return layer_refuse(layer, err, "cannot make %s of %s: the number of elements differs", to, layer_shape_text(in, from));
}

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)n_in;
    int n, open = 0;
    const int64_t *sizes = args_ints(&layer->args, "target_shape", &n);
    int64_t known = 1, count = shape_count_from(&in[0], 1);
    if (n >= SHAPE_MOST)
        return layer_refuse(layer, err, "makes samples of at most %d axes, got %d", SHAPE_MOST - 1, n);
    for (int i = 0; i < n; i++) {
        open += sizes[i] < 0;
        if (sizes[i] == 0 || (sizes[i] > 0 && __builtin_mul_overflow(known, sizes[i], &known)))
            return refuse(layer, &in[0], err);
    }
    if (open > 1)
        return layer_refuse(layer, err, "has several sizes of -1 in its target_shape: at most one can be computed");
    if (open ? count % known != 0 : count != known)
        return refuse(layer, &in[0], err);
    ops_begin(layer, &op_reshape);
    layer->op_args.v[0].given = true;
    layer->op_args.v[0].u.ints.n = n + 1;
    return true;
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    int n;
    const int64_t *sizes = args_ints(&layer->args, "target_shape", &n);
    int64_t *out = layer->op_args.v[0].u.ints.v, known = 1;
    out[0] = in[0]->value.shape.d[0];
    for (int i = 0; i < n; i++)
        known *= sizes[i] < 0 ? 1 : sizes[i];
    for (int i = 0; i < n; i++)
        out[i + 1] = sizes[i] < 0 ? shape_count_from(&in[0]->value.shape, 1) / known : sizes[i];
    return tape_op(tape, &op_reshape, in, 1, &layer->op_args, err);
}

const LayerKind layer_reshape = {
    .name = "Reshape",
    .prefix = "reshape",
    .doc = "The same elements of each sample, in the same order, in another shape.\n"
           "Shapes: x [B, any] -> y [B, target_shape]; one size may be -1 and is computed. Nothing is copied.",
    .example = "local m = nn.Sequential(); m:add(nn.Reshape({2, -1}, {input_shape = {6}})); assert(#m:predict(tensor{{1, 2, 3, 4, 5, 6}})[1][1] == 3)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
