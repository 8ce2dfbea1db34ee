// SPDX-License-Identifier: MIT
/* Long arrays are cut into blocks of VEC_BLOCK elements for the pool; each sum runs over sixteen lanes inside a block, and the
 * sums of blocks are added in order, in double: the same bits for any number of threads. */
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "tensor/kern.h"

#define VEC_BLOCK 32768
#define VEC_LANES 16
#define VEC_SUMS 64 /* blocks whose sums are kept on the stack at a time */

/* ---- one block ---- */

KERN_CLONES static void fill_block(real *restrict y, real value, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = value;
}

KERN_CLONES static void axpy_block(real *y, real a, const real *x, int64_t n)
{
    KERN_EACH
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

KERN_CLONES static void add_block(real *y, const real *x, int64_t n)
{
    KERN_EACH
    for (int64_t i = 0; i < n; i++)
        y[i] += x[i];
}

KERN_CLONES static void scale_block(real *y, real a, int64_t n)
{
    KERN_EACH
    for (int64_t i = 0; i < n; i++)
        y[i] *= a;
}

KERN_CLONES static void bytes_block(real *restrict y, const uint8_t *restrict x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (real)x[i];
}

/* Lanes are `real`, folded into doubles every 1024 elements, so that rounding does not grow with the length. */
KERN_CLONES static double sum_block(const real *x, int64_t n)
{
    double total = 0;
    int64_t i = 0;
    while (i + VEC_LANES <= n) {
        real lane[VEC_LANES] = { 0 };
        int64_t stop = i + 1024 < n ? i + 1024 : n;
        for (; i + VEC_LANES <= stop; i += VEC_LANES)
            for (int k = 0; k < VEC_LANES; k++)
                lane[k] += x[i + k];
        for (int k = 0; k < VEC_LANES; k++)
            total += (double)lane[k];
    }
    for (; i < n; i++)
        total += (double)x[i];
    return total;
}

KERN_CLONES static double squares_block(const real *x, int64_t n)
{
    double total = 0;
    int64_t i = 0;
    while (i + VEC_LANES <= n) {
        real lane[VEC_LANES] = { 0 };
        int64_t stop = i + 1024 < n ? i + 1024 : n;
        for (; i + VEC_LANES <= stop; i += VEC_LANES)
            for (int k = 0; k < VEC_LANES; k++)
                lane[k] += x[i + k] * x[i + k];
        for (int k = 0; k < VEC_LANES; k++)
            total += (double)lane[k];
    }
    for (; i < n; i++)
        total += (double)x[i] * (double)x[i];
    return total;
}

/* x - x is 0 for finite numbers and NaN for all others: a sum over lanes tells, and vectorises. */
KERN_CLONES static bool finite_block(const real *x, int64_t n)
{
    real lane[VEC_LANES] = { 0 }, total = 0;
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES)
        for (int k = 0; k < VEC_LANES; k++)
            lane[k] += x[i + k] - x[i + k];
    for (; i < n; i++)
        total += x[i] - x[i];
    for (int k = 0; k < VEC_LANES; k++)
        total += lane[k];
    return total == 0;
}

KERN_CLONES static real max_block(const real *x, int64_t n)
{
    real lane[VEC_LANES], best = x[0];
    int64_t i = 0;
    if (n >= VEC_LANES) {
        memcpy(lane, x, sizeof lane);
        for (i = VEC_LANES; i + VEC_LANES <= n; i += VEC_LANES)
            for (int k = 0; k < VEC_LANES; k++)
                lane[k] = kern_larger(x[i + k], lane[k]);
        for (int k = 0; k < VEC_LANES; k++)
            best = kern_larger(lane[k], best);
    }
    for (; i < n; i++)
        best = kern_larger(x[i], best);
    return best;
}

/* ---- over the pool ---- */

typedef struct VecJob {
    real *y;
    const void *x;
    real a;
    int64_t n, first; /* first: block with which this round begins */
    double *sums;     /* [VEC_SUMS] */
} VecJob;

static int64_t block_size(const VecJob *job, int64_t block)
{
    int64_t left = job->n - block * VEC_BLOCK;
    return left < VEC_BLOCK ? left : VEC_BLOCK;
}

static size_t blocks_of(int64_t n)
{
    return (size_t)((n + VEC_BLOCK - 1) / VEC_BLOCK);
}

static void fill_tile(void *ctx, size_t tile, int worker)
{
    VecJob *job = ctx;
    (void)worker;
    fill_block(job->y + tile * VEC_BLOCK, job->a, block_size(job, (int64_t)tile));
}

static void copy_tile(void *ctx, size_t tile, int worker)
{
    VecJob *job = ctx;
    (void)worker;
    memcpy(job->y + tile * VEC_BLOCK, (const real *)job->x + tile * VEC_BLOCK,
           (size_t)block_size(job, (int64_t)tile) * sizeof(real));
}

static void axpy_tile(void *ctx, size_t tile, int worker)
{
    VecJob *job = ctx;
    (void)worker;
    axpy_block(job->y + tile * VEC_BLOCK, job->a, (const real *)job->x + tile * VEC_BLOCK, block_size(job, (int64_t)tile));
}

static void add_tile(void *ctx, size_t tile, int worker)
{
    VecJob *job = ctx;
    (void)worker;
    add_block(job->y + tile * VEC_BLOCK, (const real *)job->x + tile * VEC_BLOCK, block_size(job, (int64_t)tile));
}

static void scale_tile(void *ctx, size_t tile, int worker)
{
    VecJob *job = ctx;
    (void)worker;
    scale_block(job->y + tile * VEC_BLOCK, job->a, block_size(job, (int64_t)tile));
}

static void bytes_tile(void *ctx, size_t tile, int worker)
{
    VecJob *job = ctx;
    (void)worker;
    bytes_block(job->y + tile * VEC_BLOCK, (const uint8_t *)job->x + tile * VEC_BLOCK, block_size(job, (int64_t)tile));
}

static void sum_tile(void *ctx, size_t tile, int worker)
{
    VecJob *job = ctx;
    int64_t block = job->first + (int64_t)tile;
    (void)worker;
    job->sums[tile] = sum_block((const real *)job->x + block * VEC_BLOCK, block_size(job, block));
}

static void squares_tile(void *ctx, size_t tile, int worker)
{
    VecJob *job = ctx;
    int64_t block = job->first + (int64_t)tile;
    (void)worker;
    job->sums[tile] = squares_block((const real *)job->x + block * VEC_BLOCK, block_size(job, block));
}

static double sum_blocks(const real *x, int64_t n, PoolFn tile)
{
    double sums[VEC_SUMS], total = 0;
    int64_t blocks = (int64_t)blocks_of(n);
    VecJob job = { .x = x, .n = n, .sums = sums };
    for (; job.first < blocks; job.first += VEC_SUMS) {
        int64_t round = blocks - job.first < VEC_SUMS ? blocks - job.first : VEC_SUMS;
        pool_run((size_t)round, tile, &job);
        for (int64_t k = 0; k < round; k++)
            total += sums[k];
    }
    return total;
}

void kern_fill(real *y, real value, int64_t n)
{
    pool_run(blocks_of(n), fill_tile, &(VecJob){ .y = y, .a = value, .n = n });
}

void kern_copy(real *y, const real *x, int64_t n)
{
    if (y != x)
        pool_run(blocks_of(n), copy_tile, &(VecJob){ .y = y, .x = x, .n = n });
}

void kern_add_to(real *y, const real *x, int64_t n)
{
    pool_run(blocks_of(n), add_tile, &(VecJob){ .y = y, .x = x, .n = n });
}

void kern_axpy(real *y, real a, const real *x, int64_t n)
{
    pool_run(blocks_of(n), axpy_tile, &(VecJob){ .y = y, .x = x, .a = a, .n = n });
}

void kern_scale(real *y, real a, int64_t n)
{
    pool_run(blocks_of(n), scale_tile, &(VecJob){ .y = y, .a = a, .n = n });
}

void kern_from_bytes(real *y, const uint8_t *x, int64_t n)
{
    pool_run(blocks_of(n), bytes_tile, &(VecJob){ .y = y, .x = x, .n = n });
}

double kern_sum(const real *x, int64_t n)
{
    return sum_blocks(x, n, sum_tile);
}

double kern_sum_squares(const real *x, int64_t n)
{
    return sum_blocks(x, n, squares_tile);
}

real kern_max(const real *x, int64_t n)
{
    real best = n > 0 ? max_block(x, n < VEC_BLOCK ? n : VEC_BLOCK) : (real)-INFINITY;
    for (int64_t i = VEC_BLOCK; i < n; i += VEC_BLOCK)
        best = kern_larger(max_block(x + i, n - i < VEC_BLOCK ? n - i : VEC_BLOCK), best);
    return best;
}

bool kern_finite(const real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i += VEC_BLOCK)
        if (!finite_block(x + i, n - i < VEC_BLOCK ? n - i : VEC_BLOCK))
            return false;
    return true;
}
