// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "rate", .type = ARG_FLOAT, .least = 0, .most = 1, .open_most = true, .help = "share of the inputs that are set to zero while training" },
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 9007199254740991.0,
      .help = "of its random choices; nil: from the run's seed" },
};
static const LayerCase cases[] = {
    { .args = "rate=0.5", .in = { { 2, { 3, 8 } } }, .n_in = 1 },
    { .args = "rate=0.25 seed=7", .in = { { 4, { 2, 3, 3, 2 } } }, .n_in = 1 },
    { .args = "rate=0", .in = { { 2, { 3, 8 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)in, (void)n_in;
    ops_begin(layer, &op_dropout);
    return ops_hand_down(layer, "rate", "rate", err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    return ops_random(layer, tape, &op_dropout, in[0], err);
}

const LayerKind layer_dropout = {
    .name = "Dropout",
    .prefix = "dropout",
    .doc = "While training, sets a random share of its inputs to zero and scales the others by 1 / (1 - rate); else nothing.\n"
           "Against overfitting.  Shapes: x [B, any] -> y the same.  Source: Srivastava et al. 2014.",
    .example = "local m = nn.Sequential(); m:add(nn.Dropout(0.5, {input_shape = {2}})); assert(m:predict(tensor{{1, 2}})[1][2] == 2)",
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
