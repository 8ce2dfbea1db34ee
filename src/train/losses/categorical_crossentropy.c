// SPDX-License-Identifier: MIT
/* Source: keras/src/losses/losses.py, keras/src/backend/tensorflow/nn.py. From probabilities that are no softmax's: clipped,
 * and their logarithms taken as logits, which divides them by their sum. */
#include "train/lossmath.h"

enum { FROM_LOGITS, LABEL_SMOOTHING };

static const ArgSpec specs[] = {
    { .name = "from_logits", .type = ARG_BOOL, .fallback = "false", .help = "predictions are logits, not probabilities" },
    { .name = "label_smoothing", .type = ARG_FLOAT, .fallback = "0.0", .most = 1, .help = "this share of a target is spread over all classes" },
};

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    double smoothing = args->v[LABEL_SMOOTHING].u.f;
    const Shape *shape = &prediction->value.shape;
    Node *logits = args->v[FROM_LOGITS].u.b ? prediction : loss_logits(prediction, &op_softmax);
    if (smoothing > 0)
        target = loss_scale(tape, target, 1 - smoothing, smoothing / (double)shape->d[shape->rank - 1], err);
    if (!logits)
        logits = loss_unary(tape, &op_log, loss_clip(tape, prediction, err), err);
    return loss_fused(tape, &op_softmax_cross_entropy_dense, logits, target, weight, shape_count(shape) / shape->d[shape->rank - 1], err);
}

const Loss loss_categorical_crossentropy = {
    .name = "categorical_crossentropy",
    .doc = "categorical_crossentropy(from_logits = false, label_smoothing = 0.0): mean of -sum(t log p).\n"
           "For one class of several (softmax); targets one-hot, of the output's shape.",
    .example = "model:compile{optimizer = 'adam', loss = 'categorical_crossentropy', metrics = {'accuracy'}}",
    .args = specs,
    .n_args = sizeof specs / sizeof specs[0],
    .target = TARGET_SAME,
    .classes = true,
    .apply = apply,
};
