// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    (void)args;
    return loss_mean(tape, loss_unary(tape, &op_abs, loss_binary(tape, &op_subtract, prediction, target, err), err), weight, err);
}

const Loss loss_mean_absolute_error = {
    .name = "mean_absolute_error",
    .short_name = "mae",
    .doc = "mean_absolute_error (mae): mean of |prediction - target|. For numbers to be predicted, with outliers.",
    .example = "model:compile{optimizer = 'sgd', loss = 'mae'}",
    .target = TARGET_SAME,
    .apply = apply,
};
