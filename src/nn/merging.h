// SPDX-License-Identifier: MIT
/* What the layers that merge inputs element by element have in common. */
#ifndef NN_MERGING_H
#define NN_MERGING_H

#include "nn/ops.h"

/* Inputs of the same rank and sizes; a size of 1 is repeated. Fails: ERR_SHAPE. */
MUST_USE bool merging_build(Layer *layer, const Shape *in, int n_in, Err *err);

/* op(op(in[0], in[1]), in[2]) … */
MUST_USE Node *merging_fold(Tape *tape, const Op *op, Node *const *in, int n_in, Err *err);

#endif
