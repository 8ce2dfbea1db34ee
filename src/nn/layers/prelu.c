// SPDX-License-Identifier: MIT
#include "nn/init.h"
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "alpha_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial slopes" },
    { .name = "shared_axes", .type = ARG_INTS, .fallback = "nil", .least = 1, .most = SHAPE_MOST - 1,
      .help = "axes along which one slope serves all, 1 the first behind the batch: {1, 2} for one slope a channel" },
};
static const LayerCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .args = "shared_axes=1,2 alpha_initializer=constant(0.25)", .in = { { 4, { 2, 3, 3, 2 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    Shape alpha = { .rank = in[0].rank - 1 };
    int n = 0;
    const int64_t *shared = args_given(&layer->args, "shared_axes") ? args_ints(&layer->args, "shared_axes", &n) : NULL;
    (void)n_in;
    for (int i = 1; i < in[0].rank; i++)
        alpha.d[i - 1] = in[0].d[i];
    for (int i = 0; i < n; i++) {
        if (shared[i] > alpha.rank)
            return layer_refuse(layer, err, "shares axis %d, but its samples have %d ax%s: 1 is the first", (int)shared[i], alpha.rank,
                                alpha.rank == 1 ? "is" : "es");
        alpha.d[shared[i] - 1] = 1;
    }
    return layer_add_param(layer, "alpha", alpha, args_text(&layer->args, "alpha_initializer"), true, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *alpha = layer_param(layer, tape, 0, err);
    (void)n_in;
    return alpha ? tape_op(tape, &op_prelu, (Node *[]){ in[0], alpha }, 2, NULL, err) : NULL;
}

const LayerKind layer_prelu = {
    .name = "PReLU",
    .prefix = "p_re_lu",
    .doc = "x where it is positive, else alpha * x with a slope alpha that is learnt, for every element of a sample its own.\n"
           "Shapes: x [B, any], alpha [any], 1 for shared axes -> y like x.  Source: He et al. 2015.",
    .example = "local m = nn.Sequential(); m:add(nn.PReLU({input_shape = {2}})); assert(m:count_params() == 2)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .mask = LAYER_MASK_PASS,
    .build = build,
    .forward = forward,
};
