// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    (void)args;
    Node *right = loss_over_last(tape, &op_sum, loss_binary(tape, &op_multiply, target, prediction, err), false, err);
    Node *others = loss_binary(tape, &op_multiply, loss_scale(tape, target, -1, 1, err), prediction, err);
    Node *gap = loss_binary(tape, &op_subtract, loss_over_last(tape, &op_max, others, false, err), right, err);
    return loss_mean(tape, loss_binary(tape, &op_maximum, loss_scale(tape, gap, 1, 1, err), loss_constant(tape, 0, err), err), weight, err);
}

const Loss loss_categorical_hinge = {
    .name = "categorical_hinge",
    .doc = "categorical_hinge: mean of max(1 + the best wrong score - the right one, 0); targets one-hot.",
    .example = "local l = nn.losses.CategoricalHinge(); assert(l({{0, 1}}, {{0.2, 0.7}}):item() > 0)",
    .target = TARGET_SAME,
    .classes = true,
    .apply = apply,
};
