// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

enum { AXIS };

static const ArgSpec specs[] = {
    { .name = "axis", .type = ARG_INTS, .fallback = "nil", .least = -8, .most = 7, .help = "axes that are summed; nil: all, the batch's too" },
};

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    const ArgValue *axis = &args->v[AXIS];
    Node *both = loss_sum_over(tape, loss_binary(tape, &op_multiply, target, prediction, err), axis, err);
    Node *all = loss_binary(tape, &op_add, loss_sum_over(tape, target, axis, err), loss_sum_over(tape, prediction, axis, err), err);
    Node *share = loss_binary(tape, &op_divide, loss_scale(tape, both, 2, 0, err), loss_scale(tape, all, 1, LOSS_EPSILON, err), err);
    return loss_mean(tape, loss_scale(tape, share, -1, 1, err), weight, err);
}

const Loss loss_dice = {
    .name = "dice",
    .doc = "dice(axis = nil): 1 - 2 sum(target * prediction) / (sum(target) + sum(prediction)): how little two masks overlap.\n"
           "Source: Milletari et al. 2016.",
    .example = "local l = nn.losses.Dice(); assert(l({{0, 1}}, {{0.2, 0.7}}):item() > 0)",
    .args = specs,
    .n_args = sizeof specs / sizeof *specs,
    .target = TARGET_SAME,
    .apply = apply,
};
