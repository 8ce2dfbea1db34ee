// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    (void)args;
    Node *rate = loss_unary(tape, &op_log, loss_scale(tape, prediction, 1, LOSS_EPSILON, err), err);
    Node *value = loss_binary(tape, &op_subtract, prediction, loss_binary(tape, &op_multiply, target, rate, err), err);
    return loss_mean(tape, value, weight, err);
}

const Loss loss_poisson = {
    .name = "poisson",
    .doc = "poisson: mean of prediction - target * log(prediction). For counts; the prediction is a rate above 0.",
    .example = "local l = nn.losses.Poisson(); assert(l({{0, 1}}, {{0.2, 0.7}}):item() > 0)",
    .target = TARGET_SAME,
    .apply = apply,
};
