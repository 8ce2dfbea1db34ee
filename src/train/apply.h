// SPDX-License-Identifier: MIT
/* One update outside of fit: the gradient of a loss on an open tape (autograd/tape.h) for the weights of some models, and what the
 * optimizer makes of it. The thread that may touch the models (nn/model.h). */
#ifndef TRAIN_APPLY_H
#define TRAIN_APPLY_H

#include "train/optimizer.h"

typedef struct Apply {
    Tape *tape; /* open, in TRAIN mode */
    Node *loss; /* one number on it */
    Optimizer *optimizer;
    Model *const *models; /* whose weights are updated */
    int n_models;
    Tape *const *others; /* tapes that may hold the same weights: told that they changed; `tape` may be among them */
    int n_others;
} Apply;

/* Nothing has changed when it fails: ERR_NUMERIC (loss or gradient is not finite: names the layer), ERR_STATE (the loss does not
 * depend on these weights, or was computed before an update that its gradient passes; the optimizer belongs to other models),
 * ERR_SHAPE (the loss is no single number), ERR_MEM. */
MUST_USE bool apply_loss(const Apply *apply, Err *err);

#endif
