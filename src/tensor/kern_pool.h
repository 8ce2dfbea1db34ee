// SPDX-License-Identifier: MIT
/* Pooling in two dimensions, channels last: x [B, H, W, C] -> y [B, OH, OW, C]. Zeros around the images take no part: the
 * maximum is that of real pixels, the mean is divided by their number. Loops run over channels, which lie side by side. */
#ifndef TENSOR_KERN_POOL_H
#define TENSOR_KERN_POOL_H

#include "tensor/kern.h"

typedef struct Pooling {
    int64_t B, H, W, C, KH, KW, OH, OW, stride_h, stride_w, pad_top, pad_left;
} Pooling;

/* y = the largest of each window; tap [B, OH, OW, C]: which pixel of the window it was (u KW + v, the first of equals), or
 * NULL. A NaN in the window is the largest. */
void kern_pool_max(const Pooling *pool, real *y, int32_t *tap, const real *x);
void kern_pool_max_back(const Pooling *pool, real *dx, bool add, const real *dy, const int32_t *tap);

/* y = the mean of each window. */
void kern_pool_mean(const Pooling *pool, real *y, const real *x);
void kern_pool_mean_back(const Pooling *pool, real *dx, bool add, const real *dy);

#endif
