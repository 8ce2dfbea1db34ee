// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "dims", .type = ARG_INTS, .least = 1, .most = SHAPE_MOST - 1, .help = "which axis of the input becomes each axis, from 1" },
};
static const LayerCase cases[] = {
    { .args = "dims=2,1", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
    { .args = "dims=3,1,2", .in = { { 4, { 2, 3, 2, 4 } } }, .n_in = 1 },
    { .args = "dims=1", .in = { { 2, { 2, 3 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int n;
    const int64_t *dims = args_ints(&layer->args, "dims", &n);
    double axes[SHAPE_MOST] = { 0 };
    unsigned seen = 0;
    char got[SHAPE_TEXT];
    (void)n_in;
    for (int i = 0; i < n && i + 1 < SHAPE_MOST; i++) {
        axes[i + 1] = (double)dims[i];
        seen |= 1u << dims[i];
    }
    if (n != in[0].rank - 1 || seen != (2u << n) - 2)
        return layer_refuse(layer, err, "wants dims to name each of the axes 1 to %d once, for samples of shape %s", in[0].rank - 1,
                            layer_shape_text(&in[0], got));
    ops_begin(layer, &op_transpose);
    return args_set_numbers(&layer->op_args, 0, axes, n + 1, layer->name, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_transpose, in, n_in, &layer->op_args, err);
}

const LayerKind layer_permute = {
    .name = "Permute",
    .prefix = "permute",
    .doc = "The axes of each sample in another order: dims = {2, 1} exchanges the first two; 1 is the first behind the batch.\n"
           "Shapes: x [B, d1, d2, ..] -> y [B, d of dims[1], d of dims[2], ..].",
    .example = "local m = nn.Sequential(); m:add(nn.Permute({2, 1}, {input_shape = {3, 5}})); assert(m.output_shape[1] == 5)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
