// SPDX-License-Identifier: MIT
/* Parts of an array, and its axes in another order, as steps through memory: element (i, j, …) of the view stands at
 * offset + i stride[0] + j stride[1] + …. What is read or written beside it is row-major. Split over the pool; any thread;
 * cannot fail. */
#ifndef TENSOR_VIEW_H
#define TENSOR_VIEW_H

#include "tensor/tensor.h"

typedef struct View {
    int rank;
    int64_t d[SHAPE_MOST], stride[SHAPE_MOST]; /* elements */
    int64_t offset;
} View;

/* y [d] = the view of x. */
void view_read(void *y, const void *x, const View *view, DType dtype);

/* The view of x (+)= y [d]. No two indices may stand at one place. */
void view_write(real *x, const real *y, const View *view, bool add);

#endif
