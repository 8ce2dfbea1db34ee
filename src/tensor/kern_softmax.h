// SPDX-License-Identifier: MIT
/* Softmax and the cross entropies over rows of C numbers, split over the pool by rows. Cannot fail. */
#ifndef TENSOR_KERN_SOFTMAX_H
#define TENSOR_KERN_SOFTMAX_H

#include "tensor/tensor.h"

/* y [N, C] = exp(x - max) / sum. lse [N] (may be NULL): the log of the sum of exponentials. y may be x. */
void kern_softmax(real *y, real *lse, const real *x, int64_t N, int64_t C);

/* y [N, C] = x - lse. */
void kern_log_softmax(real *y, const real *x, int64_t N, int64_t C);

/* dx (+)= y (dy - sum(dy y)) by rows; y is softmax's result. */
void kern_softmax_back(real *dx, const real *y, const real *dy, int64_t N, int64_t C, bool add);

/* dx (+)= dy - exp(y) sum(dy) by rows; y is log_softmax's result. */
void kern_log_softmax_back(real *dx, const real *y, const real *dy, int64_t N, int64_t C, bool add);

#endif
