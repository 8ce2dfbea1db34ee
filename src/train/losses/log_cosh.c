// SPDX-License-Identifier: MIT
/* log(cosh(e)) = e + softplus(-2 e) - log 2: nothing overflows. */
#include "train/lossmath.h"

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    (void)args;
    Node *e = loss_binary(tape, &op_subtract, prediction, target, err);
    Node *soft = loss_unary(tape, &op_softplus, loss_scale(tape, e, -2, 0, err), err);
    return loss_mean(tape, loss_scale(tape, loss_binary(tape, &op_add, e, soft, err), 1, -0.69314718055994531, err), weight, err);
}

const Loss loss_log_cosh = {
    .name = "log_cosh",
    .doc = "log_cosh: mean of log(cosh(prediction - target)): squared for small errors, absolute for large ones.",
    .example = "local l = nn.losses.LogCosh(); assert(l({{0, 1}}, {{0.2, 0.7}}):item() > 0)",
    .target = TARGET_SAME,
    .apply = apply,
};
