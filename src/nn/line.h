// SPDX-License-Identifier: MIT
/* Layers over sequences [B, T, C] that work as their siblings over images do: a sequence is an image of one line. Nothing is
 * copied on the way there and back. */
#ifndef NN_LINE_H
#define NN_LINE_H

#include "nn/ops.h"

/* True for sequences (batch, time, features). Fails: ERR_SHAPE with a remedy. */
MUST_USE bool line_want(const Layer *layer, const Shape *in, Err *err);

/* The layer's argument `from`, one whole number n, as the op's argument `to`: 1, n. nil leaves the op's default. */
MUST_USE bool line_hand_down(Layer *layer, const char *from, const char *to, Err *err);

/* [B, T, C] -> [B, 1, T, C] and back; x NULL: NULL. A kernel [K, C, F] -> [1, K, C, F] by line_kernel. */
MUST_USE Node *line_open(Tape *tape, Node *x, Err *err);
MUST_USE Node *line_close(Tape *tape, Node *x, Err *err);
MUST_USE Node *line_kernel(Tape *tape, Node *kernel, Err *err);

/* ---- pooling: pool_size, strides, padding ---- */

#define LINE_POOL_ARGS 3
#define LINE_POOL_CASES 3
extern const ArgSpec line_pool_args[LINE_POOL_ARGS];
extern const LayerCase line_pool_cases[LINE_POOL_CASES];

MUST_USE bool line_pool_build(Layer *layer, const Op *op, const Shape *in, Err *err);
MUST_USE Node *line_pool_forward(Layer *layer, Tape *tape, const Op *op, Node *x, Err *err);

#endif
