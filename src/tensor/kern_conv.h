// SPDX-License-Identifier: MIT
/* Convolution in two dimensions, channels last.
 *   x [B, H, W, C], kernel [KH, KW, C / groups, F], bias [F] -> y [B, OH, OW, F]
 * An output pixel is a row: there are P = B OH OW of them. The patch of x below it, as a row of K = KH KW C / groups numbers, is
 * what the kernel, as a matrix [K, F / groups], is multiplied with. Patches are laid out for some hundred pixels at a time, in
 * memory of the worker, and multiplied there while they are in its cache.
 * Source of the layout: Chellapilla et al. 2006, "High performance convolutional neural networks for document processing". */
#ifndef TENSOR_KERN_CONV_H
#define TENSOR_KERN_CONV_H

#include "tensor/kern_act.h"

typedef struct Conv {
    /* given */
    int64_t B, H, W, C, KH, KW, F, OH, OW;
    int64_t stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, groups;
    KernAct act;
    /* from kern_conv_plan; they depend on the sizes alone */
    int64_t P, K, Cg, Fg; /* pixels; kernel rows, input and output channels of one group */
    bool direct;          /* 1x1, stride 1: x itself is the matrix of patches */
    int64_t rows;         /* pixels whose patches are laid out at a time */
    int64_t sum_tiles;    /* parts of P whose kernel gradients are summed separately, then added in order */
    int64_t images, bands; /* a tile of the data gradient: so many images, or one band of rows of one image */
} Conv;

void kern_conv_plan(Conv *conv);

/* Bytes of scratch memory. */
size_t kern_conv_forward_scratch(const Conv *conv);
size_t kern_conv_backward_scratch(const Conv *conv);

/* y = act(x * kernel + bias); bias may be NULL. */
void kern_conv_forward(const Conv *conv, real *y, const real *x, const real *kernel, const real *bias, void *scratch);

/* Gradients from dy [B, OH, OW, F] and the y of forward (read only when there is an activation). Overwritten or added to. */
void kern_conv_backward_data(const Conv *conv, real *dx, bool add, const real *dy, const real *y, const real *kernel, void *scratch);
void kern_conv_backward_kernel(const Conv *conv, real *dkernel, bool add, real *dbias, bool add_bias, const real *x, const real *dy,
                               const real *y, void *scratch); /* dkernel or dbias may be NULL */

/* ---- kern_cols.c: patches of n pixels from pixel p on, of one group; on the calling thread ---- */

/* x -> cols [n, K] */
void kern_cols_gather(const Conv *conv, real *cols, const real *x, int64_t p, int64_t n, int64_t group);

/* dx += cols [n, K], where the row of dx is one of h_first … h_end-1 */
void kern_cols_scatter(const Conv *conv, real *dx, const real *cols, int64_t p, int64_t n, int64_t group, int64_t h_first, int64_t h_end);

#endif
