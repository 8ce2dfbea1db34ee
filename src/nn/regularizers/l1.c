// SPDX-License-Identifier: MIT
#include "nn/penalty.h"

static const ArgSpec args[] = {
    { .name = "l1", .type = ARG_FLOAT, .fallback = "0.01", .least = 0, .most = 1e9, .help = "factor of the sum of absolute values" },
};

static Node *penalty(const double *v, Tape *tape, Node *x, Err *err)
{
    return penalty_sum(tape, &op_abs, x, v[0], err);
}

const Regularizer regularizer_l1 = {
    .name = "l1",
    .doc = "l1(l1 = 0.01): l1 times the sum of absolute values is added to the loss.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .penalty = penalty,
};
