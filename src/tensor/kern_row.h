// SPDX-License-Identifier: MIT
/* Maximum, sum and inner product of one row, with 16 partial results in a fixed order, so that compilers vectorise them and the
 * bits are the same on every thread. For use inside a clone (KERN_CLONES): they are inlined there. */
#ifndef TENSOR_KERN_ROW_H
#define TENSOR_KERN_ROW_H

#include "tensor/kern.h"

#define ROW_LANES 16

KERN_INLINE real row_max(const real *x, int64_t C)
{
    real part[ROW_LANES];
    int64_t c = 0;
    for (int l = 0; l < ROW_LANES; l++)
        part[l] = x[0];
    for (; c + ROW_LANES <= C; c += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++)
            part[l] = x[c + l] > part[l] ? x[c + l] : part[l];
    for (; c < C; c++)
        part[0] = x[c] > part[0] ? x[c] : part[0];
    real most = part[0];
    for (int l = 1; l < ROW_LANES; l++)
        most = part[l] > most ? part[l] : most;
    return most;
}

KERN_INLINE real row_sum(const real *x, int64_t C)
{
    real part[ROW_LANES] = { 0 };
    int64_t c = 0;
    for (; c + ROW_LANES <= C; c += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++)
            part[l] += x[c + l];
    for (; c < C; c++)
        part[c % ROW_LANES] += x[c];
    real sum = 0;
    for (int l = 0; l < ROW_LANES; l++)
        sum += part[l];
    return sum;
}

KERN_INLINE real row_dot(const real *x, const real *y, int64_t C)
{
    real part[ROW_LANES] = { 0 };
    int64_t c = 0;
    for (; c + ROW_LANES <= C; c += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++)
            part[l] += x[c + l] * y[c + l];
    for (; c < C; c++)
        part[c % ROW_LANES] += x[c] * y[c];
    real sum = 0;
    for (int l = 0; l < ROW_LANES; l++)
        sum += part[l];
    return sum;
}

#endif
