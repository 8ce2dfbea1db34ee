// SPDX-License-Identifier: MIT
/* The two inner products of a convolution, written for registers: TILE_WIDTH output channels side by side and a few rows
 * (pixels, or kernel taps) stay in registers while a long loop runs over what is summed. One body, compiled for each level of
 * the processor (kern_tile_body.h) and chosen at the first use. On the calling thread. */
#ifndef TENSOR_KERN_TILE_H
#define TENSOR_KERN_TILE_H

#include "tensor/kern.h"

#define TILE_WIDTH 16

/* A line of pixels [n, TILE_WIDTH]: y[i] (+)= sum over u, v, j of a[i step + u line + v tap + j] * b[(u, v, j) ldb …].
 * u = 0 … n_lines-1, v = 0 … n_taps-1, j = 0 … run-1. Rows of b must hold TILE_WIDTH numbers. */
typedef struct TileLine {
    int64_t n, step;
    int64_t n_lines, line, n_taps, tap, run;
    int64_t ldb, ldy; /* elements from one row of b, one pixel of y, to the next */
    int64_t width;    /* columns of y that exist: 1 … TILE_WIDTH */
    bool add;
} TileLine;

/* A block of sums [run, TILE_WIDTH]: sum[j ldsum …] += over pixels of a[m a_image + r a_row + i step + j] * b[(m, r, i) ldb …].
 * m = 0 … n_images-1, r = 0 … n_rows-1, i = 0 … n-1. Rows of b must hold TILE_WIDTH numbers; of sum, `width` columns exist. */
typedef struct TileSum {
    int64_t n_images, n_rows, n, a_image, a_row, step, ldb;
    int64_t run, ldsum, width;
} TileSum;

typedef struct TileKernels {
    const char *name;
    void (*line)(const TileLine *t, real *y, const real *a, const real *b);
    void (*sum)(const TileSum *t, real *sum, const real *a, const real *b);
} TileKernels;

/* The best that this processor can do; `level` (0: plain, 1: AVX2, 2: AVX-512) lowers it for tests. */
const TileKernels *kern_tile(int level);
#define KERN_TILE_BEST 2

#endif
