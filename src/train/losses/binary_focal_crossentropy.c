// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

enum { BALANCE, ALPHA, GAMMA, FROM_LOGITS, LABEL_SMOOTHING };

static const ArgSpec specs[] = {
    { .name = "apply_class_balancing", .type = ARG_BOOL, .fallback = "false", .help = "weigh class 1 by alpha, class 0 by 1 - alpha" },
    { .name = "alpha", .type = ARG_FLOAT, .fallback = "0.25", .most = 1, .help = "weight of class 1" },
    { .name = "gamma", .type = ARG_FLOAT, .fallback = "2.0", .most = 100, .help = "how much less well-classified samples count" },
    { .name = "from_logits", .type = ARG_BOOL, .fallback = "false", .help = "predictions are logits, not probabilities" },
    { .name = "label_smoothing", .type = ARG_FLOAT, .fallback = "0.0", .most = 1, .help = "targets are pulled by this share toward 0.5" },
};

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    double smoothing = args->v[LABEL_SMOOTHING].u.f, alpha = args->v[ALPHA].u.f;
    if (smoothing > 0)
        target = loss_scale(tape, target, 1 - smoothing, 0.5 * smoothing, err);
    Node *p = args->v[FROM_LOGITS].u.b ? loss_unary(tape, &op_sigmoid, prediction, err) : prediction;
    Node *not_target = loss_scale(tape, target, -1, 1, err), *clipped = loss_clip(tape, p, err);
    Node *yes = loss_binary(tape, &op_multiply, target, loss_unary(tape, &op_log, clipped, err), err);
    Node *no = loss_binary(tape, &op_multiply, not_target, loss_unary(tape, &op_log, loss_scale(tape, clipped, -1, 1, err), err), err);
    Node *hit = loss_binary(tape, &op_multiply, target, p, err);
    Node *miss = loss_binary(tape, &op_multiply, not_target, loss_scale(tape, p, -1, 1, err), err);
    Node *far = loss_scale(tape, loss_binary(tape, &op_add, hit, miss, err), -1, 1, err);
    Node *entropy = loss_scale(tape, loss_binary(tape, &op_add, yes, no, err), -1, 0, err);
    Node *value = loss_binary(tape, &op_multiply, loss_power(tape, far, args->v[GAMMA].u.f, err), entropy, err);
    if (args->v[BALANCE].u.b)
        value = loss_binary(tape, &op_multiply, value, loss_scale(tape, target, 2 * alpha - 1, 1 - alpha, err), err);
    return loss_mean(tape, value, weight, err);
}

const Loss loss_binary_focal_crossentropy = {
    .name = "binary_focal_crossentropy",
    .doc = "binary_focal_crossentropy(apply_class_balancing = false, alpha = 0.25, gamma = 2.0, from_logits = false, label_smoothing = 0.0):\n"
           "binary crossentropy times (1 - p of the truth)^gamma. Source: Lin et al. 2017.",
    .example = "local l = nn.losses.BinaryFocalCrossentropy(); assert(l({{0, 1}}, {{0.2, 0.7}}):item() > 0)",
    .args = specs,
    .n_args = sizeof specs / sizeof *specs,
    .target = TARGET_SAME,
    .classes = true,
    .apply = apply,
};
