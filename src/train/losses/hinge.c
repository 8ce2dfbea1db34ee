// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    (void)args;
    Node *margin = loss_binary(tape, &op_multiply, loss_signs(tape, target, err), prediction, err);
    Node *miss = loss_binary(tape, &op_maximum, loss_scale(tape, margin, -1, 1, err), loss_constant(tape, 0, err), err);
    return loss_mean(tape, miss, weight, err);
}

const Loss loss_hinge = {
    .name = "hinge",
    .doc = "hinge: mean of max(1 - target * prediction, 0). Targets -1 or 1; 0 and 1 are taken for -1 and 1.",
    .example = "local l = nn.losses.Hinge(); assert(l({{0, 1}}, {{0.2, 0.7}}):item() > 0)",
    .target = TARGET_SAME,
    .apply = apply,
};
