// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

enum { ALPHA, GAMMA, FROM_LOGITS, LABEL_SMOOTHING };

static const ArgSpec specs[] = {
    { .name = "alpha", .type = ARG_FLOAT, .fallback = "0.25", .most = 1, .help = "factor of the whole" },
    { .name = "gamma", .type = ARG_FLOAT, .fallback = "2.0", .most = 100, .help = "how much less well-classified samples count" },
    { .name = "from_logits", .type = ARG_BOOL, .fallback = "false", .help = "predictions are logits, not probabilities" },
    { .name = "label_smoothing", .type = ARG_FLOAT, .fallback = "0.0", .most = 1, .help = "this share of a target is spread over all classes" },
};

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    double smoothing = args->v[LABEL_SMOOTHING].u.f;
    const Shape *shape = &prediction->value.shape;
    if (smoothing > 0)
        target = loss_scale(tape, target, 1 - smoothing, smoothing / (double)shape->d[shape->rank - 1], err);
    Node *p = args->v[FROM_LOGITS].u.b ? loss_unary(tape, &op_softmax, prediction, err) : prediction;
    p = loss_clip(tape, loss_binary(tape, &op_divide, p, loss_over_last(tape, &op_sum, p, true, err), err), err);
    Node *entropy = loss_binary(tape, &op_multiply, target, loss_unary(tape, &op_log, p, err), err);
    Node *factor = loss_power(tape, loss_scale(tape, p, -1, 1, err), args->v[GAMMA].u.f, err);
    Node *value = loss_scale(tape, loss_binary(tape, &op_multiply, factor, entropy, err), -args->v[ALPHA].u.f, 0, err);
    return loss_mean(tape, loss_over_last(tape, &op_sum, value, false, err), weight, err);
}

const Loss loss_categorical_focal_crossentropy = {
    .name = "categorical_focal_crossentropy",
    .doc = "categorical_focal_crossentropy(alpha = 0.25, gamma = 2.0, from_logits = false, label_smoothing = 0.0):\n"
           "categorical crossentropy times alpha (1 - p)^gamma. Source: Lin et al. 2017.",
    .example = "local l = nn.losses.CategoricalFocalCrossentropy(); assert(l({{0, 1}}, {{0.2, 0.7}}):item() > 0)",
    .args = specs,
    .n_args = sizeof specs / sizeof *specs,
    .target = TARGET_SAME,
    .classes = true,
    .apply = apply,
};
