// SPDX-License-Identifier: MIT
#include "nn/penalty.h"

static const ArgSpec args[] = {
    { .name = "l2", .type = ARG_FLOAT, .fallback = "0.01", .least = 0, .most = 1e9, .help = "factor of the sum of squares" },
};

static Node *penalty(const double *v, Tape *tape, Node *x, Err *err)
{
    return penalty_sum(tape, &op_square, x, v[0], err);
}

const Regularizer regularizer_l2 = {
    .name = "l2",
    .doc = "l2(l2 = 0.01): l2 times the sum of squares is added to the loss.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .penalty = penalty,
};
