// SPDX-License-Identifier: MIT
/* What losses are composed of. A loss contains no derivative code: it applies ops. */
#ifndef TRAIN_LOSSMATH_H
#define TRAIN_LOSSMATH_H

#include "train/compile.h"

#define ROW(name) extern const Op op_##name;
#include "gen/ops.h"
#undef ROW

#define LOSS_EPSILON 1e-7 /* Keras's epsilon(): probabilities are clipped to epsilon … 1 - epsilon */

/* The input of the op that made the prediction when that is `op` over the last axis (softmax, sigmoid): the logits. NULL when it
 * is another. Source: keras/src/backend/tensorflow/nn.py, _get_logits. */
Node *loss_logits(Node *prediction, const Op *op);

MUST_USE Node *loss_unary(Tape *tape, const Op *op, Node *x, Err *err);
MUST_USE Node *loss_binary(Tape *tape, const Op *op, Node *a, Node *b, Err *err);
MUST_USE Node *loss_scale(Tape *tape, Node *x, double scale, double offset, Err *err); /* scale x + offset */
MUST_USE Node *loss_clip(Tape *tape, Node *probabilities, Err *err);

/* Mean of values [B, …], each sample's part times its weight [B] (NULL: 1). */
MUST_USE Node *loss_mean(Tape *tape, Node *values, Node *weight, Err *err);

/* A fused loss op on (x, target, weight). */
MUST_USE Node *loss_fused(Tape *tape, const Op *op, Node *x, Node *target, Node *weight, Err *err);

#endif
