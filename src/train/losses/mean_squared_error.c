// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    (void)args;
    return loss_fused(tape, &op_mean_squared_error, prediction, target, weight, err);
}

const Loss loss_mean_squared_error = {
    .name = "mean_squared_error",
    .short_name = "mse",
    .doc = "mean_squared_error (mse): mean of (prediction - target)^2. For numbers to be predicted.",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse'}",
    .target = TARGET_SAME,
    .apply = apply,
};
