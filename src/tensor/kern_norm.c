// SPDX-License-Identifier: MIT
/* A tile is a range of rows. Scratch: for each tile two rows of double (its sums), then for each tile two rows of real (the
 * sums of a block, or, in the passes that write, the factors of a channel, which the first tile's rows hold for all). */
#include "tensor/kern_norm.h"

#include <string.h>

#include "base/pool.h"

#define NORM_TILE 16384 /* elements a tile should have */
#define NORM_TILES_MOST 64
#define NORM_BLOCK 64 /* rows that are summed in float */

typedef struct Job {
    const real *x, *dy, *mean, *rstd;
    real *out;
    bool add;
    int64_t N, C;
    size_t n_tiles;
    double *sums;        /* [n_tiles, 2, C] */
    real *blocks;        /* [n_tiles, 2, C] */
    const real *factors; /* [3, C] */
} Job;

static size_t tiles_of(int64_t N, int64_t C)
{
    int64_t tiles = N * C / NORM_TILE;
    tiles = tiles < N ? tiles : N;
    return tiles < 2 ? 1 : tiles > NORM_TILES_MOST ? NORM_TILES_MOST : (size_t)tiles;
}

size_t kern_norm_scratch(int64_t N, int64_t C)
{
    return (tiles_of(N, C) * 2 + 1) * (size_t)C * (sizeof(double) + sizeof(real)) + 64;
}

static void job_start(Job *job, void *scratch)
{
    job->n_tiles = tiles_of(job->N, job->C);
    job->sums = scratch;
    job->blocks = (real *)(job->sums + job->n_tiles * 2 * (size_t)job->C);
}

static int64_t first_row(const Job *job, size_t tile)
{
    return (int64_t)pool_first((size_t)job->N, job->n_tiles, tile);
}

/* ---- passes over a block of rows ---- */

KERN_CLONES static void block_sum(real *restrict sum, const real *restrict x, int64_t n, int64_t C)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < C; c++)
            sum[c] += x[i * C + c];
}

KERN_CLONES static void block_squares(real *restrict sum, const real *restrict x, const real *restrict mean, int64_t n, int64_t C)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < C; c++) {
            real d = x[i * C + c] - mean[c];
            sum[c] += d * d;
        }
}

KERN_CLONES static void block_products(real *restrict sum, const real *restrict dy, const real *restrict x,
                                       const real *restrict mean, int64_t n, int64_t C)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < C; c++)
            sum[c] += dy[i * C + c] * (x[i * C + c] - mean[c]);
}

static void fold(double *total, const real *block, int64_t C)
{
    for (int64_t c = 0; c < C; c++)
        total[c] += (double)block[c];
}

static int64_t block_rows(int64_t from, int64_t end)
{
    return end - from < NORM_BLOCK ? end - from : NORM_BLOCK;
}

/* ---- mean and variance ---- */

/* sums: the tile's mean, and the sum of its squared distances from that. */
static void moments_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    int64_t C = job->C, first = first_row(job, tile), end = first_row(job, tile + 1);
    double *mean = job->sums + tile * 2 * (size_t)C, *squares = mean + C;
    real *block = job->blocks + tile * 2 * (size_t)C, *rounded = block + C;
    size_t row_size = (size_t)C * sizeof(real);
    (void)worker;
    memset(mean, 0, 2 * (size_t)C * sizeof(double));
    for (int64_t i = first; i < end; i += NORM_BLOCK) {
        memset(block, 0, row_size);
        block_sum(block, job->x + i * C, block_rows(i, end), C);
        fold(mean, block, C);
    }
    for (int64_t c = 0; c < C; c++) {
        rounded[c] = end > first ? (real)(mean[c] / (double)(end - first)) : 0;
        mean[c] = end > first ? mean[c] / (double)(end - first) : 0;
    }
    for (int64_t i = first; i < end; i += NORM_BLOCK) {
        memset(block, 0, row_size);
        block_squares(block, job->x + i * C, rounded, block_rows(i, end), C);
        fold(squares, block, C);
    }
}

/* Two parts with n_a and n_b rows: the squares grow by (mean_b - mean_a)^2 n_a n_b / (n_a + n_b). */
void kern_norm_moments(real *mean, real *variance, const real *x, int64_t N, int64_t C, void *scratch)
{
    Job job = { .x = x, .N = N, .C = C };
    job_start(&job, scratch);
    pool_run(job.n_tiles, moments_tile, &job);
    for (int64_t c = 0; c < C; c++) {
        double m = 0, squares = 0, n = 0;
        for (size_t tile = 0; tile < job.n_tiles; tile++) {
            double rows = (double)(first_row(&job, tile + 1) - first_row(&job, tile)), *part = job.sums + tile * 2 * (size_t)C + c;
            double away = part[0] - m;
            if (rows == 0)
                continue;
            squares += part[C] + away * away * n * rows / (n + rows);
            m += away * rows / (n + rows);
            n += rows;
        }
        mean[c] = (real)m;
        variance[c] = n > 0 ? (real)(squares / n) : 0;
    }
}

/* ---- forward ---- */

KERN_CLONES static void apply_rows(real *y, const real *x, const real *restrict mean, const real *restrict scale,
                                   const real *restrict shift, int64_t n, int64_t C)
{
    for (int64_t i = 0; i < n; i++) {
        KERN_EACH
        for (int64_t c = 0; c < C; c++)
            y[i * C + c] = (x[i * C + c] - mean[c]) * scale[c] + shift[c];
    }
}

static void apply_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    int64_t first = first_row(job, tile), end = first_row(job, tile + 1), C = job->C;
    (void)worker;
    apply_rows(job->out + first * C, job->x + first * C, job->mean, job->factors, job->factors + C, end - first, C);
}

void kern_norm_apply(real *y, const real *x, const real *mean, const real *rstd, const real *gamma, const real *beta, int64_t N,
                     int64_t C, void *scratch)
{
    Job job = { .x = x, .out = y, .mean = mean, .N = N, .C = C };
    job_start(&job, scratch);
    for (int64_t c = 0; c < C; c++) {
        job.blocks[c] = gamma ? gamma[c] * rstd[c] : rstd[c];
        job.blocks[C + c] = beta ? beta[c] : 0;
    }
    job.factors = job.blocks;
    pool_run(job.n_tiles, apply_tile, &job);
}

/* ---- backward ---- */

static void sums_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    int64_t C = job->C, end = first_row(job, tile + 1);
    double *plain = job->sums + tile * 2 * (size_t)C, *products = plain + C;
    real *block = job->blocks + tile * 2 * (size_t)C;
    (void)worker;
    memset(plain, 0, 2 * (size_t)C * sizeof(double));
    for (int64_t i = first_row(job, tile); i < end; i += NORM_BLOCK) {
        int64_t n = block_rows(i, end);
        memset(block, 0, 2 * (size_t)C * sizeof(real));
        block_sum(block, job->dy + i * C, n, C);
        block_products(block + C, job->dy + i * C, job->x + i * C, job->mean, n, C);
        fold(plain, block, C);
        fold(products, block + C, C);
    }
}

void kern_norm_sums(real *dbeta, real *dgamma, const real *dy, const real *x, const real *mean, const real *rstd, int64_t N,
                    int64_t C, void *scratch)
{
    Job job = { .x = x, .dy = dy, .mean = mean, .N = N, .C = C };
    job_start(&job, scratch);
    pool_run(job.n_tiles, sums_tile, &job);
    for (int64_t c = 0; c < C; c++) {
        double plain = 0, products = 0;
        for (size_t tile = 0; tile < job.n_tiles; tile++) {
            plain += job.sums[tile * 2 * (size_t)C + (size_t)c];
            products += job.sums[(tile * 2 + 1) * (size_t)C + (size_t)c];
        }
        dbeta[c] = (real)plain;
        dgamma[c] = (real)(products * (double)rstd[c]);
    }
}

/* dx = a dy + b (x - mean) + d, factors a, b, d of each channel. */
KERN_CLONES static void back_rows(real *restrict dx, bool add, const real *restrict dy, const real *restrict x,
                                  const real *restrict mean, const real *restrict factors, int64_t n, int64_t C)
{
    const real *restrict a = factors, *restrict b = factors + C, *restrict d = factors + 2 * C;
    for (int64_t i = 0; i < n; i++) {
        const real *dyi = dy + i * C, *xi = x + i * C;
        real *dxi = dx + i * C;
        if (add)
            for (int64_t c = 0; c < C; c++)
                dxi[c] += a[c] * dyi[c] + b[c] * (xi[c] - mean[c]) + d[c];
        else
            for (int64_t c = 0; c < C; c++)
                dxi[c] = a[c] * dyi[c] + b[c] * (xi[c] - mean[c]) + d[c];
    }
}

static void back_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    int64_t first = first_row(job, tile), end = first_row(job, tile + 1), C = job->C;
    (void)worker;
    back_rows(job->out + first * C, job->add, job->dy + first * C, job->x + first * C, job->mean, job->factors, end - first, C);
}

void kern_norm_back(real *dx, bool add, const real *dy, const real *x, const real *mean, const real *rstd, const real *gamma,
                    const real *dbeta, const real *dgamma, int64_t N, int64_t C, void *scratch)
{
    Job job = { .x = x, .dy = dy, .out = dx, .add = add, .mean = mean, .N = N, .C = C };
    job_start(&job, scratch);
    real share = N > 0 ? 1 / (real)N : 0;
    for (int64_t c = 0; c < C; c++) {
        real a = gamma ? gamma[c] * rstd[c] : rstd[c];
        job.blocks[c] = a;
        job.blocks[C + c] = dbeta ? -a * rstd[c] * dgamma[c] * share : 0;
        job.blocks[2 * C + c] = dbeta ? -a * dbeta[c] * share : 0;
    }
    job.factors = job.blocks;
    pool_run(job.n_tiles, back_tile, &job);
}
