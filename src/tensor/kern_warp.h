// SPDX-License-Identifier: MIT
/* Images moved, turned and scaled. One image a call, one thread; the caller splits a batch over the pool. */
#ifndef TENSOR_KERN_WARP_H
#define TENSOR_KERN_WARP_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/kern.h"

/* What lies outside the image: a value, the nearest pixel, the image mirrored (d c b a | a b c d), the image again. */
typedef enum { WARP_CONSTANT, WARP_NEAREST, WARP_REFLECT, WARP_WRAP } WarpFill;

/* Where pixel (column j, row i) of the result comes from: column a[0] j + a[1] i + a[2], row a[3] j + a[4] i + a[5]. */
typedef struct Warp {
    double a[6];
    WarpFill fill;
    real value;     /* of WARP_CONSTANT */
    bool bilinear;  /* else the nearest pixel */
} Warp;

/* x [H, W, C] -> y [H, W, C], which must not overlap x. Each of the four neighbours that lies outside is filled for itself, as
 * Keras does (affine_transform). Cannot fail; places that are not finite are taken for far outside. */
void kern_warp(real *y, const real *x, int64_t H, int64_t W, int64_t C, const Warp *warp);

#endif
