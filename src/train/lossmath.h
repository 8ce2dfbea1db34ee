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
MUST_USE Node *loss_clip(Tape *tape, Node *probabilities, Err *err); /* to epsilon … 1 - epsilon */

MUST_USE Node *loss_clip_to(Tape *tape, Node *x, double low, double high, Err *err);
MUST_USE Node *loss_constant(Tape *tape, double value, Err *err);                      /* a scalar that lives through the step */
MUST_USE Node *loss_power(Tape *tape, Node *x, double exponent, Err *err);
MUST_USE Node *loss_over_last(Tape *tape, const Op *op, Node *x, bool keep, Err *err); /* sum, mean, max over the last axis */

MUST_USE Node *loss_sum_over(Tape *tape, Node *x, const ArgValue *axes, Err *err);     /* an ARG_INTS; not given: all axes */
MUST_USE Node *loss_unit(Tape *tape, Node *x, Err *err);                               /* x / max(its norm along the last axis, epsilon) */
MUST_USE Node *loss_signs(Tape *tape, Node *target, Err *err); /* targets that are all 0 or 1 as -1 and 1, others as they are */

/* Mean of values [B, …], each times its weight (NULL: 1): one for each sample [B], or for more of the leading axes [B, T]. Fewer
 * values than weights (a loss of the whole batch): times the mean of the weights, as Keras's broadcasting has it. */
MUST_USE Node *loss_mean(Tape *tape, Node *values, Node *weight, Err *err);

/* A fused loss op on (x, target, weight) that wants one weight for each of `rows` rows; weights of fewer leading axes are repeated. */
MUST_USE Node *loss_fused(Tape *tape, const Op *op, Node *x, Node *target, Node *weight, int64_t rows, Err *err);

#endif
