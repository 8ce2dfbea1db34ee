// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    (void)args;
    int64_t B = prediction->value.shape.rank ? prediction->value.shape.d[0] : 1;
    if (weight && weight->value.shape.rank > 1) /* the op knows weights of samples only */
        return loss_mean(tape, loss_unary(tape, &op_square, loss_binary(tape, &op_subtract, prediction, target, err), err), weight, err);
    return loss_fused(tape, &op_mean_squared_error, prediction, target, weight, B, err);
}

const Loss loss_mean_squared_error = {
    .name = "mean_squared_error",
    .short_name = "mse",
    .doc = "mean_squared_error (mse): mean of (prediction - target)^2. For numbers to be predicted.",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse'}",
    .target = TARGET_SAME,
    .apply = apply,
};
