// SPDX-License-Identifier: MIT
/* Each row is a tile's own: no sum crosses tiles, so threads cannot change a bit. Maxima and sums are those of kern_row.h. */
#include "tensor/kern_softmax.h"

#include "base/pool.h"
#include "tensor/kern.h"
#include "tensor/kern_fun.h"
#include "tensor/kern_row.h"

typedef struct Rows {
    real *y, *lse;
    const real *x, *dy;
    int64_t N, C;
    size_t n_tiles;
    bool add;
} Rows;

KERN_CLONES static void softmax_tile(void *ctx, size_t tile, int worker)
{
    const Rows *rows = ctx;
    (void)worker;
    int64_t C = rows->C, end = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, tile + 1);
    for (int64_t n = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, tile); n < end; n++) {
        const real *x = rows->x + n * C;
        real *y = rows->y + n * C, most = row_max(x, C);
        for (int64_t c = 0; c < C; c++)
            y[c] = fun_exp(x[c] - most);
        real sum = row_sum(y, C), scale = 1 / sum;
        for (int64_t c = 0; c < C; c++)
            y[c] *= scale;
        if (rows->lse)
            rows->lse[n] = most + fun_log(sum);
    }
}

void kern_softmax(real *y, real *lse, const real *x, int64_t N, int64_t C)
{
    if (C == 0)
        return;
    Rows rows = { .y = y, .lse = lse, .x = x, .N = N, .C = C, .n_tiles = pool_tiles((size_t)N, 12.0 * (double)C) };
    pool_run(rows.n_tiles, softmax_tile, &rows);
}

/* The exponentials are summed without being kept: 16 at a time. */
KERN_CLONES static void log_softmax_tile(void *ctx, size_t tile, int worker)
{
    const Rows *rows = ctx;
    (void)worker;
    int64_t C = rows->C, end = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, tile + 1);
    for (int64_t n = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, tile); n < end; n++) {
        const real *x = rows->x + n * C;
        real *y = rows->y + n * C, most = row_max(x, C), part[ROW_LANES] = { 0 }, sum = 0;
        int64_t c = 0;
        for (; c + ROW_LANES <= C; c += ROW_LANES)
            for (int l = 0; l < ROW_LANES; l++)
                part[l] += fun_exp(x[c + l] - most);
        for (; c < C; c++)
            part[c % ROW_LANES] += fun_exp(x[c] - most);
        for (int l = 0; l < ROW_LANES; l++)
            sum += part[l];
        real lse = most + fun_log(sum);
        for (c = 0; c < C; c++)
            y[c] = x[c] - lse;
    }
}

void kern_log_softmax(real *y, const real *x, int64_t N, int64_t C)
{
    if (C == 0)
        return;
    Rows rows = { .y = y, .x = x, .N = N, .C = C, .n_tiles = pool_tiles((size_t)N, 12.0 * (double)C) };
    pool_run(rows.n_tiles, log_softmax_tile, &rows);
}

KERN_CLONES static void softmax_back_tile(void *ctx, size_t tile, int worker)
{
    const Rows *rows = ctx;
    (void)worker;
    int64_t C = rows->C, end = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, tile + 1);
    for (int64_t n = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, tile); n < end; n++) {
        const real *y = rows->x + n * C, *dy = rows->dy + n * C;
        real *dx = rows->y + n * C, dot = row_dot(y, dy, C);
        if (rows->add)
            for (int64_t c = 0; c < C; c++)
                dx[c] += y[c] * (dy[c] - dot);
        else
            for (int64_t c = 0; c < C; c++)
                dx[c] = y[c] * (dy[c] - dot);
    }
}

void kern_softmax_back(real *dx, const real *y, const real *dy, int64_t N, int64_t C, bool add)
{
    Rows rows = { .y = dx, .x = y, .dy = dy, .N = N, .C = C, .add = add, .n_tiles = pool_tiles((size_t)N, 4.0 * (double)C) };
    pool_run(rows.n_tiles, softmax_back_tile, &rows);
}

KERN_CLONES static void log_softmax_back_tile(void *ctx, size_t tile, int worker)
{
    const Rows *rows = ctx;
    (void)worker;
    int64_t C = rows->C, end = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, tile + 1);
    for (int64_t n = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, tile); n < end; n++) {
        const real *y = rows->x + n * C, *dy = rows->dy + n * C;
        real *dx = rows->y + n * C, sum = row_sum(dy, C);
        for (int64_t c = 0; c < C; c++)
            dx[c] = (rows->add ? dx[c] : 0) + dy[c] - fun_exp(y[c]) * sum;
    }
}

void kern_log_softmax_back(real *dx, const real *y, const real *dy, int64_t N, int64_t C, bool add)
{
    Rows rows = { .y = dx, .x = y, .dy = dy, .N = N, .C = C, .add = add, .n_tiles = pool_tiles((size_t)N, 12.0 * (double)C) };
    pool_run(rows.n_tiles, log_softmax_back_tile, &rows);
}
