// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    (void)args;
    Node *product = loss_binary(tape, &op_multiply, loss_unit(tape, target, err), loss_unit(tape, prediction, err), err);
    return loss_mean(tape, loss_scale(tape, loss_over_last(tape, &op_sum, product, false, err), -1, 0, err), weight, err);
}

const Loss loss_cosine_similarity = {
    .name = "cosine_similarity",
    .doc = "cosine_similarity: mean of minus the cosine between target and prediction along the last axis: -1 where they point the same way.",
    .example = "local l = nn.losses.CosineSimilarity(); assert(math.abs(l({{0, 2}}, {{0, 1}}):item() + 1) < 1e-5)",
    .target = TARGET_SAME,
    .apply = apply,
};
