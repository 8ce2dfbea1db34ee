// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "alpha", .type = ARG_FLOAT, .fallback = "1", .least = 0, .most = 1e30, .help = "what it falls to for small x, negated" },
};
static const LayerCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .args = "alpha=0.5", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)in, (void)n_in;
    return ops_set(layer, &op_elu, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_elu, in, n_in, &layer->op_args, err);
}

const LayerKind layer_elu = {
    .name = "ELU",
    .prefix = "elu",
    .doc = "x where it is positive, else alpha * (exp(x) - 1).\n"
           "Shapes: x [B, any] -> y the same.  Source: Clevert et al. 2016.",
    .example = "local m = nn.Sequential(); m:add(nn.ELU({input_shape = {2}})); assert(m:predict(tensor{{0, 3}})[1][2] == 3)",
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
