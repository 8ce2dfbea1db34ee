// SPDX-License-Identifier: MIT
/* A case of an op's record brought to life without a tape: inputs drawn, memory of exactly the stated size, forward, backward.
 * For tests and measurements of ops. */
#ifndef LIB_OPCASE_H
#define LIB_OPCASE_H

#include "autograd/op.h"

typedef struct Trial {
    const OpCase *c;
    Args args;
    OpCall call;
    real *grads[OP_IN_MOST]; /* owned, [shape of in[i]]; NULL for integer inputs */
    real *dout;              /* owned, [shape of out]: fixed random weights; the loss is the sum of dout * out */
    double spacing;          /* between any two float inputs' elements */
} Trial;

/* Fails: what args_parse and the op's infer and check say. End with trial_fini in either case. */
MUST_USE bool trial_init(Trial *trial, const Op *op, const OpCase *c, uint64_t seed, Err *err);
void trial_fini(Trial *trial);

void trial_forward(Trial *trial);
double trial_loss(Trial *trial); /* forward, then the sum */

/* Backward into grads. add: they keep what they hold. only >= 0: no other input's gradient is asked for. */
void trial_backward(Trial *trial, bool add, int only);

#endif
