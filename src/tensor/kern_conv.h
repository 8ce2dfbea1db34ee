// SPDX-License-Identifier: MIT
/* Convolution in two dimensions, channels last.
 *   x [B, H, W, C], kernel [KH, KW, C / groups, F], bias [F] -> y [B, OH, OW, F]
 * Nothing is laid out as a matrix of patches: a line of the image below a window is one piece of memory already, and the inner
 * products of kern_tile.h walk over it. Only where windows reach beyond the image, or an activation's slope comes first, are
 * some lines at a time copied into a frame of zeros, in memory of the worker.
 * Source of the idea: Zhang et al. 2018, "High performance zero-memory overhead direct convolutions". */
#ifndef TENSOR_KERN_CONV_H
#define TENSOR_KERN_CONV_H

#include "tensor/kern_act.h"

typedef struct Conv {
    /* given */
    int64_t B, H, W, C, KH, KW, F, OH, OW;
    int64_t stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, groups;
    KernAct act;
    /* from kern_conv_plan; they depend on the sizes alone */
    int64_t P, K, Cg, Fg;         /* output pixels; kernel rows, input and output channels of one group */
    int64_t reach_h, reach_w;     /* input lines and columns below a window */
    bool framed;                  /* windows reach beyond the image */
    int64_t lines, images;        /* a chunk: some output lines of an image, or some whole images */
    int64_t chunks_image, chunks; /* chunks of an image (1 where a chunk holds several); of all */
    int64_t panels;               /* of TILE_WIDTH output channels, over all groups */
    int64_t parts;                /* of the chunks, whose kernel gradients are summed separately, then added in order */
} Conv;

void kern_conv_plan(Conv *conv);

/* Bytes of scratch memory. */
size_t kern_conv_forward_scratch(const Conv *conv);
size_t kern_conv_backward_scratch(const Conv *conv);

/* y = act(x * kernel + bias); bias may be NULL. */
void kern_conv_forward(const Conv *conv, real *y, const real *x, const real *kernel, const real *bias, void *scratch);

/* Gradients from dy [B, OH, OW, F] and the y of forward (read only when there is an activation). Overwritten or added to. */
void kern_conv_backward_data(const Conv *conv, real *dx, bool add, const real *dy, const real *y, const real *kernel,
                             void *scratch);
void kern_conv_backward_kernel(const Conv *conv, real *dkernel, bool add, real *dbias, bool add_bias, const real *x, const real *dy,
                               const real *y, void *scratch); /* dkernel or dbias may be NULL */

#endif
