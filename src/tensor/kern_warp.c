// SPDX-License-Identifier: MIT
#include "tensor/kern_warp.h"

#include <math.h>

#define FAR 1e9 /* places beyond are outside in every mode's sense */

/* The index within 0 … size-1 that stands for i; -1: none does. */
static int64_t fold(int64_t i, int64_t size, WarpFill fill)
{
    if (i >= 0 && i < size)
        return i;
    switch (fill) {
    case WARP_CONSTANT:
        return -1;
    case WARP_NEAREST:
        return i < 0 ? 0 : size - 1;
    case WARP_REFLECT:
        i = ((i % (2 * size)) + 2 * size) % (2 * size);
        return i < size ? i : 2 * size - 1 - i;
    case WARP_WRAP:
        return ((i % size) + size) % size;
    }
    return -1;
}

typedef struct Source {
    const real *x;
    int64_t H, W, C;
    const Warp *warp;
} Source;

/* The pixel at (row, column), or NULL for the fill value. */
static const real *pixel(const Source *s, int64_t row, int64_t column)
{
    row = fold(row, s->H, s->warp->fill);
    column = fold(column, s->W, s->warp->fill);
    return row < 0 || column < 0 ? NULL : s->x + (row * s->W + column) * s->C;
}

static void take_nearest(real *y, const Source *s, double row, double column)
{
    const real *from = pixel(s, (int64_t)rint(row), (int64_t)rint(column));
    for (int64_t c = 0; c < s->C; c++)
        y[c] = from ? from[c] : s->warp->value;
}

static void take_bilinear(real *y, const Source *s, double row, double column)
{
    double top = floor(row), left = floor(column);
    const real *at[4];
    real down = (real)(row - top), right = (real)(column - left);
    real weight[4] = { (1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right };
    for (int k = 0; k < 4; k++)
        at[k] = pixel(s, (int64_t)top + k / 2, (int64_t)left + k % 2);
    for (int64_t c = 0; c < s->C; c++) {
        real sum = 0;
        for (int k = 0; k < 4; k++)
            sum += weight[k] * (at[k] ? at[k][c] : s->warp->value);
        y[c] = sum;
    }
}

void kern_warp(real *y, const real *x, int64_t H, int64_t W, int64_t C, const Warp *warp)
{
    const double *a = warp->a;
    Source s = { x, H, W, C, warp };
    for (int64_t i = 0; i < H; i++)
        for (int64_t j = 0; j < W; j++, y += C) {
            double column = a[0] * (double)j + a[1] * (double)i + a[2], row = a[3] * (double)j + a[4] * (double)i + a[5];
            if (!(fabs(row) < FAR && fabs(column) < FAR))
                row = column = -FAR;
            if (warp->bilinear)
                take_bilinear(y, &s, row, column);
            else
                take_nearest(y, &s, row, column);
        }
}
