// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    (void)args;
    Node *scale = loss_binary(tape, &op_maximum, loss_unary(tape, &op_abs, target, err), loss_constant(tape, LOSS_EPSILON, err), err);
    Node *share = loss_binary(tape, &op_divide, loss_binary(tape, &op_subtract, target, prediction, err), scale, err);
    return loss_mean(tape, loss_scale(tape, loss_unary(tape, &op_abs, share, err), 100, 0, err), weight, err);
}

const Loss loss_mean_absolute_percentage_error = {
    .name = "mean_absolute_percentage_error",
    .short_name = "mape",
    .doc = "mean_absolute_percentage_error (mape): mean of 100 |target - prediction| / max(|target|, 1e-7).",
    .example = "local l = nn.losses.MeanAbsolutePercentageError(); assert(l({{0, 1}}, {{0.2, 0.7}}):item() > 0)",
    .target = TARGET_SAME,
    .apply = apply,
};
