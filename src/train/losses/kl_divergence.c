// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    (void)args;
    Node *t = loss_clip_to(tape, target, LOSS_EPSILON, 1, err), *p = loss_clip_to(tape, prediction, LOSS_EPSILON, 1, err);
    Node *ratio = loss_unary(tape, &op_log, loss_binary(tape, &op_divide, t, p, err), err);
    return loss_mean(tape, loss_over_last(tape, &op_sum, loss_binary(tape, &op_multiply, t, ratio, err), false, err), weight, err);
}

const Loss loss_kl_divergence = {
    .name = "kl_divergence",
    .short_name = "kld",
    .class_name = "KLDivergence",
    .doc = "kl_divergence (kld): mean of sum(target * log(target / prediction)) over the last axis; both are distributions.",
    .example = "local l = nn.losses.KLDivergence(); assert(l({{0, 1}}, {{0.2, 0.7}}):item() > 0)",
    .target = TARGET_SAME,
    .apply = apply,
};
