// SPDX-License-Identifier: MIT
/* Activations that a product or convolution applies to its result while it is in the cache. Backward needs only the
 * activated value y. On the calling thread; for use inside tiles. */
#ifndef TENSOR_KERN_ACT_H
#define TENSOR_KERN_ACT_H

#include "tensor/kern.h"

typedef enum { KERN_ACT_LINEAR, KERN_ACT_RELU, KERN_ACT_SIGMOID, KERN_ACT_TANH, KERN_ACT_HARD_SIGMOID } KernAct;

/* Names in the order of KernAct, ended by NULL: "linear", "relu", … */
extern const char *const kern_act_names[];

/* y [rows, n] = act(y + bias [n]); bias may be NULL. */
void kern_act_rows(KernAct act, real *y, const real *bias, int64_t rows, int64_t n);

/* dz [n] = dy * act'(z), told from y = act(z). relu's slope at 0 is 0. dz may be dy. */
void kern_act_back(KernAct act, real *dz, const real *dy, const real *y, int64_t n);

#endif
