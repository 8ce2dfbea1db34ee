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

/* A seed of its own takes the place of the tape's for this op alone; the step still changes the choice. */
static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    uint64_t seed = tape->seed;
    if (args_given(&layer->args, "seed"))
        tape->seed = (uint64_t)args_int(&layer->args, "seed");
    Node *y = tape_op(tape, &op_dropout, in, 1, &layer->op_args, err);
    tape->seed = seed;
    return y;
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
    .build = build,
    .forward = forward,
};
