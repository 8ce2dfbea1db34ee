// SPDX-License-Identifier: MIT
/* The weights of attention, for watchers. */
#ifndef TRAIN_HEADS_H
#define TRAIN_HEADS_H

#include "autograd/tape.h"

/* What attention below `value` looks at for one sample of the batch: heads [1, H, T, S], queries by keys, each row a share of 1. Only
 * attention that ran after the other `values` (of n graph nodes; NULL: none) counts: the layer's own. False when it has none, or
 * memory ran out. Borrows the tape's memory: gone with tape_begin. */
bool heads_of(Tape *tape, const Node *value, Node *const *values, int n, int64_t sample, Tensor *out);

#endif
