// SPDX-License-Identifier: MIT
#include "nn/penalty.h"

static const ArgSpec args[] = {
    { .name = "l1", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1e9, .help = "factor of the sum of absolute values" },
    { .name = "l2", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1e9, .help = "factor of the sum of squares" },
};

static Node *penalty(const double *v, Tape *tape, Node *x, Err *err)
{
    Node *in[2] = { penalty_sum(tape, &op_abs, x, v[0], err), penalty_sum(tape, &op_square, x, v[1], err) };
    return in[0] && in[1] ? tape_op(tape, &op_add, in, 2, NULL, err) : NULL;
}

const Regularizer regularizer_l1_l2 = {
    .name = "l1_l2",
    .doc = "l1_l2(l1 = 0, l2 = 0): both sums, each times its factor, are added to the loss.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .penalty = penalty,
};
