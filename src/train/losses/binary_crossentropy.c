// SPDX-License-Identifier: MIT
/* Source: keras/src/losses/losses.py, keras/src/backend/tensorflow/nn.py. From probabilities that are no sigmoid's they are
 * clipped; from a sigmoid its input is taken, which loses nothing. */
#include "train/lossmath.h"

enum { FROM_LOGITS, LABEL_SMOOTHING };

static const ArgSpec specs[] = {
    { .name = "from_logits", .type = ARG_BOOL, .fallback = "false", .help = "predictions are logits, not probabilities" },
    { .name = "label_smoothing", .type = ARG_FLOAT, .fallback = "0.0", .most = 1, .help = "targets are pulled by this share toward 0.5" },
};

/* -(t log p + (1 - t) log(1 - p)) */
static Node *from_probabilities(Tape *tape, Node *prediction, Node *target, Err *err)
{
    Node *p = loss_clip(tape, prediction, err), *q = loss_scale(tape, p, -1, 1, err), *not_target = loss_scale(tape, target, -1, 1, err);
    Node *yes = loss_binary(tape, &op_multiply, target, loss_unary(tape, &op_log, p, err), err);
    Node *no = loss_binary(tape, &op_multiply, not_target, loss_unary(tape, &op_log, q, err), err);
    return loss_scale(tape, loss_binary(tape, &op_add, yes, no, err), -1, 0, err);
}

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    double smoothing = args->v[LABEL_SMOOTHING].u.f;
    Node *logits = args->v[FROM_LOGITS].u.b ? prediction : loss_logits(prediction, &op_sigmoid);
    if (smoothing > 0)
        target = loss_scale(tape, target, 1 - smoothing, 0.5 * smoothing, err);
    int64_t B = prediction->value.shape.rank ? prediction->value.shape.d[0] : 1;
    if (logits && weight && weight->value.shape.rank > 1) /* the op knows weights of samples only */
        return loss_mean(tape, loss_binary(tape, &op_subtract, loss_unary(tape, &op_softplus, logits, err),
                                           loss_binary(tape, &op_multiply, logits, target, err), err), weight, err);
    if (logits)
        return loss_fused(tape, &op_sigmoid_cross_entropy, logits, target, weight, B, err);
    return loss_mean(tape, target ? from_probabilities(tape, prediction, target, err) : NULL, weight, err);
}

const Loss loss_binary_crossentropy = {
    .name = "binary_crossentropy",
    .short_name = "bce",
    .doc = "binary_crossentropy(from_logits = false, label_smoothing = 0.0): mean of -(t log p + (1 - t) log(1 - p)).\n"
           "For yes-or-no outputs (sigmoid); targets 0 or 1 of the output's shape.",
    .example = "model:compile{optimizer = 'adam', loss = 'binary_crossentropy', metrics = {'accuracy'}}",
    .args = specs,
    .n_args = sizeof specs / sizeof specs[0],
    .target = TARGET_SAME,
    .classes = true,
    .apply = apply,
};
