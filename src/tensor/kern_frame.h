// SPDX-License-Identifier: MIT
/* Parts of the convolution: chunks of its output, the input lines below a chunk, the kernel in panels, and the loops over a
 * chunk. Used by kern_conv.c and kern_convback.c. On the calling thread. */
#ifndef TENSOR_KERN_FRAME_H
#define TENSOR_KERN_FRAME_H

#include "tensor/kern_conv.h"
#include "tensor/kern_tile.h"

/* Output lines oh … oh+n_lines-1 of images b … b+n_images-1 (whole images where there are several). */
typedef struct Chunk {
    int64_t b, n_images, oh, n_lines;
} Chunk;

Chunk kern_chunk(const Conv *conv, int64_t i);

/* Input lines below a chunk: the pixel of tap (0, 0) of output pixel (m, r, i) stands at data + m image + r line stride_h +
 * i stride_w C. */
typedef struct Field {
    const real *data;
    int64_t image, line; /* elements from one image, one input line, to the next */
} Field;

size_t kern_frame_size(const Conv *conv); /* elements, as large as the largest chunk wants */

/* Where act is not linear, x is a gradient: multiplied with the slope at y (kern_act_back) on the way. frame: memory of the
 * worker, used only where it must be. */
Field kern_field(const Conv *conv, const Chunk *chunk, const real *x, KernAct act, const real *y, real *frame);

/* The kernel as panels [panels, K, TILE_WIDTH], filled up with zeros: panel p holds output channels of group p / (panels of a
 * group). reversed: the kernel of the data gradient: conv is the reversed convolution, kernel the one of the original (taps in
 * opposite order, input and output channels exchanged). */
size_t kern_panels_size(const Conv *conv); /* elements */
void kern_panels(const Conv *conv, real *panels, const real *kernel, bool reversed);

/* y of one chunk (+)= the products, no bias. panels NULL: the kernel is read as it stands (all panels full). */
void kern_chunk_products(const Conv *conv, const Chunk *chunk, real *y, bool add, const Field *field, const real *kernel,
                         const real *panels);

#endif
