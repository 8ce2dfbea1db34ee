// SPDX-License-Identifier: MIT
/* Source: keras/src/losses/losses.py, keras/src/backend/tensorflow/nn.py. From probabilities that are no softmax's: clipped,
 * and their logarithms taken as logits. */
#include "train/lossmath.h"

enum { FROM_LOGITS };

static const ArgSpec specs[] = {
    { .name = "from_logits", .type = ARG_BOOL, .fallback = "false", .help = "predictions are logits, not probabilities" },
};

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    Node *logits = args->v[FROM_LOGITS].u.b ? prediction : loss_logits(prediction, &op_softmax);
    if (!logits)
        logits = loss_unary(tape, &op_log, loss_clip(tape, prediction, err), err);
    return loss_fused(tape, &op_softmax_cross_entropy, logits, target, weight, err);
}

const Loss loss_sparse_categorical_crossentropy = {
    .name = "sparse_categorical_crossentropy",
    .doc = "sparse_categorical_crossentropy(from_logits = false): mean of -log p[label].\n"
           "For one class of several (softmax); targets are class numbers from 0.",
    .example = "model:compile{optimizer = 'adam', loss = 'sparse_categorical_crossentropy', metrics = {'accuracy'}}",
    .args = specs,
    .n_args = sizeof specs / sizeof specs[0],
    .target = TARGET_LABELS,
    .classes = true,
    .apply = apply,
};
