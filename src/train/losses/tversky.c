// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

enum { ALPHA, BETA, AXIS };

static const ArgSpec specs[] = {
    { .name = "alpha", .type = ARG_FLOAT, .fallback = "0.5", .most = 1e9, .help = "weight of what is missed" },
    { .name = "beta", .type = ARG_FLOAT, .fallback = "0.5", .most = 1e9, .help = "weight of what is found beside the target" },
    { .name = "axis", .type = ARG_INTS, .fallback = "nil", .least = -8, .most = 7, .help = "axes that are summed; nil: all, the batch's too" },
};

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    const ArgValue *axis = &args->v[AXIS];
    Node *both = loss_sum_over(tape, loss_binary(tape, &op_multiply, target, prediction, err), axis, err);
    Node *missed = loss_binary(tape, &op_multiply, target, loss_scale(tape, prediction, -1, 1, err), err);
    Node *beside = loss_binary(tape, &op_multiply, prediction, loss_scale(tape, target, -1, 1, err), err);
    missed = loss_scale(tape, loss_sum_over(tape, missed, axis, err), args->v[ALPHA].u.f, LOSS_EPSILON, err);
    beside = loss_scale(tape, loss_sum_over(tape, beside, axis, err), args->v[BETA].u.f, 0, err);
    Node *all = loss_binary(tape, &op_add, both, loss_binary(tape, &op_add, missed, beside, err), err);
    return loss_mean(tape, loss_scale(tape, loss_binary(tape, &op_divide, both, all, err), -1, 1, err), weight, err);
}

const Loss loss_tversky = {
    .name = "tversky",
    .doc = "tversky(alpha = 0.5, beta = 0.5, axis = nil): dice with its own weights for what is missed (alpha) and what is found beside\n"
           "the target (beta). Source: Salehi et al. 2017.",
    .example = "local l = nn.losses.Tversky(); assert(l({{0, 1}}, {{0.2, 0.7}}):item() > 0)",
    .args = specs,
    .n_args = sizeof specs / sizeof *specs,
    .target = TARGET_SAME,
    .apply = apply,
};
