// SPDX-License-Identifier: MIT
/* Depthwise convolution, channels last: every channel by M filters of its own.
 *   x [B, H, W, C], kernel [KH, KW, C, M], bias [C M] -> y [B, OH, OW, C M], channel c by filter m at c M + m
 * Loops run over channels, which lie side by side. Tiles are lines of the output (of dx), cut by the sizes alone; sums for the
 * kernel are added in the order of their parts: the same bits for any number of threads. Cannot fail. */
#ifndef TENSOR_KERN_DEPTH_H
#define TENSOR_KERN_DEPTH_H

#include "tensor/kern.h"

typedef struct Depth {
    int64_t B, H, W, C, M, KH, KW, OH, OW;
    int64_t stride_h, stride_w, dilation_h, dilation_w; /* in one direction, one of stride and dilation is 1 */
    int64_t pad_top, pad_left;
} Depth;

void kern_depth_forward(const Depth *depth, real *y, const real *x, const real *kernel, const real *bias); /* bias may be NULL */
void kern_depth_backward_data(const Depth *depth, real *dx, bool add, const real *dy, const real *kernel);

/* dkernel and dbias are overwritten; dbias may be NULL. */
size_t kern_depth_scratch(const Depth *depth); /* bytes */
void kern_depth_backward_kernel(const Depth *depth, real *dkernel, real *dbias, const real *x, const real *dy, void *scratch);

#endif
