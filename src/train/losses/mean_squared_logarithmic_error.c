// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

static Node *logarithm(Tape *tape, Node *x, Err *err)
{
    Node *above = loss_binary(tape, &op_maximum, x, loss_constant(tape, LOSS_EPSILON, err), err);
    return loss_unary(tape, &op_log, loss_scale(tape, above, 1, 1, err), err);
}

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    (void)args;
    Node *a = logarithm(tape, prediction, err), *b = logarithm(tape, target, err);
    return loss_mean(tape, loss_unary(tape, &op_square, loss_binary(tape, &op_subtract, a, b, err), err), weight, err);
}

const Loss loss_mean_squared_logarithmic_error = {
    .name = "mean_squared_logarithmic_error",
    .short_name = "msle",
    .doc = "mean_squared_logarithmic_error (msle): mean of (log(1 + prediction) - log(1 + target))^2; numbers below 1e-7 count as that.",
    .example = "local l = nn.losses.MeanSquaredLogarithmicError(); assert(l({{0, 1}}, {{0.2, 0.7}}):item() > 0)",
    .target = TARGET_SAME,
    .apply = apply,
};
