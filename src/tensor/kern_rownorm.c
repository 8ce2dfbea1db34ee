// SPDX-License-Identifier: MIT
/* The variance is summed in a second walk over the row, which is in the cache then: no digits are lost to a large mean. */
#include "tensor/kern_rownorm.h"

#include <math.h>

#include "base/pool.h"

#define LANES 16
#define PARTS 16 /* separate sums for dgamma and dbeta, at most */

typedef struct Job {
    const RowNorm *norm;
    real *y, *mean_out, *rstd_out;
    const real *x, *gamma, *beta, *dy, *mean, *rstd;
    real *sums; /* [parts, 2, C] */
    bool add;
    size_t n_tiles;
} Job;

/* Sum of f over the row, 16 partial sums. */
#define ROW_SUM(total, C, f) \
    do { \
        real part[LANES] = { 0 }; \
        int64_t c = 0; \
        for (; c + LANES <= (C); c += LANES) \
            for (int l = 0; l < LANES; l++) { \
                const int64_t i = c + l; \
                part[l] += f; \
            } \
        for (; c < (C); c++) { \
            const int64_t i = c; \
            part[c % LANES] += f; \
        } \
        for (int l = 0; l < LANES; l++) \
            total += part[l]; \
    } while (0)

KERN_CLONES static void moments_row(const real *restrict x, int64_t C, bool centred, double epsilon, real *mean, real *rstd)
{
    real sum = 0, squares = 0;
    if (centred)
        ROW_SUM(sum, C, x[i]);
    const real m = centred ? sum / (real)C : 0;
    ROW_SUM(squares, C, (x[i] - m) * (x[i] - m));
    *mean = m;
    *rstd = (real)(1 / sqrt((double)squares / (double)C + epsilon));
}

KERN_CLONES static void apply_row(real *restrict y, const real *restrict x, real m, real r, const real *gamma, const real *beta,
                                  int64_t C)
{
    if (gamma && beta)
        for (int64_t c = 0; c < C; c++)
            y[c] = (x[c] - m) * r * gamma[c] + beta[c];
    else if (gamma)
        for (int64_t c = 0; c < C; c++)
            y[c] = (x[c] - m) * r * gamma[c];
    else
        for (int64_t c = 0; c < C; c++)
            y[c] = (x[c] - m) * r + (beta ? beta[c] : 0);
}

static void forward_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Job *job = ctx;
    const RowNorm *norm = job->norm;
    int64_t C = norm->C, end = (int64_t)pool_first((size_t)norm->N, job->n_tiles, tile + 1);
    for (int64_t n = (int64_t)pool_first((size_t)norm->N, job->n_tiles, tile); n < end; n++) {
        real m, r;
        moments_row(job->x + n * C, C, norm->centred, norm->epsilon, &m, &r);
        apply_row(job->y + n * C, job->x + n * C, m, r, job->gamma, job->beta, C);
        if (job->mean_out)
            job->mean_out[n] = m;
        if (job->rstd_out)
            job->rstd_out[n] = r;
    }
}

void kern_rownorm(const RowNorm *norm, real *y, real *mean, real *rstd, const real *x, const real *gamma, const real *beta)
{
    Job job = { .norm = norm, .y = y, .mean_out = mean, .rstd_out = rstd, .x = x, .gamma = gamma, .beta = beta };
    job.n_tiles = pool_tiles((size_t)norm->N, 5.0 * (double)norm->C);
    pool_run(norm->N * norm->C > 0 ? job.n_tiles : 0, forward_tile, &job);
}

KERN_CLONES static void back_row(real *restrict dx, const real *restrict dy, const real *restrict x, real m, real r,
                                 const real *gamma, int64_t C, bool centred, bool add)
{
    real a = 0, b = 0;
    if (gamma) {
        ROW_SUM(a, C, dy[i] * gamma[i]);
        ROW_SUM(b, C, dy[i] * gamma[i] * (x[i] - m));
    } else {
        ROW_SUM(a, C, dy[i]);
        ROW_SUM(b, C, dy[i] * (x[i] - m));
    }
    a = centred ? a / (real)C : 0;
    b = b * r * r / (real)C;
    if (gamma)
        for (int64_t c = 0; c < C; c++)
            dx[c] = (add ? dx[c] : 0) + r * (dy[c] * gamma[c] - a - (x[c] - m) * b);
    else
        for (int64_t c = 0; c < C; c++)
            dx[c] = (add ? dx[c] : 0) + r * (dy[c] - a - (x[c] - m) * b);
}

static void back_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Job *job = ctx;
    const RowNorm *norm = job->norm;
    int64_t C = norm->C, end = (int64_t)pool_first((size_t)norm->N, job->n_tiles, tile + 1);
    for (int64_t n = (int64_t)pool_first((size_t)norm->N, job->n_tiles, tile); n < end; n++)
        back_row(job->y + n * C, job->dy + n * C, job->x + n * C, job->mean ? job->mean[n] : 0, job->rstd[n], job->gamma, C,
                 norm->centred, job->add);
}

/* ---- sums over rows ---- */

KERN_CLONES static void sum_rows(real *restrict dgamma, real *restrict dbeta, const real *restrict dy, const real *restrict x, real m,
                                 real r, int64_t C)
{
    for (int64_t c = 0; c < C; c++) {
        dgamma[c] += dy[c] * (x[c] - m) * r;
        dbeta[c] += dy[c];
    }
}

static size_t parts_of(const RowNorm *norm)
{
    size_t tiles = pool_tiles((size_t)norm->N, 4.0 * (double)norm->C);
    return tiles < PARTS ? tiles : PARTS;
}

static void sums_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Job *job = ctx;
    const RowNorm *norm = job->norm;
    int64_t C = norm->C, end = (int64_t)pool_first((size_t)norm->N, job->n_tiles, tile + 1);
    real *dgamma = job->sums + (int64_t)tile * 2 * C, *dbeta = dgamma + C;
    for (int64_t c = 0; c < 2 * C; c++)
        dgamma[c] = 0;
    for (int64_t n = (int64_t)pool_first((size_t)norm->N, job->n_tiles, tile); n < end; n++)
        sum_rows(dgamma, dbeta, job->dy + n * C, job->x + n * C, job->mean ? job->mean[n] : 0, job->rstd[n], C);
}

size_t kern_rownorm_scratch(const RowNorm *norm)
{
    return parts_of(norm) * 2 * (size_t)norm->C * sizeof(real);
}

static void add_parts(real *to, const real *sums, size_t parts, int64_t C)
{
    for (int64_t c = 0; to && c < C; c++) {
        double sum = 0;
        for (size_t p = 0; p < parts; p++)
            sum += (double)sums[(int64_t)p * 2 * C + c];
        to[c] = (real)sum;
    }
}

void kern_rownorm_back(const RowNorm *norm, real *dx, bool add, real *dgamma, real *dbeta, const real *dy, const real *x,
                       const real *mean, const real *rstd, const real *gamma, void *scratch)
{
    Job job = { .norm = norm, .y = dx, .x = x, .gamma = gamma, .dy = dy, .mean = mean, .rstd = rstd, .sums = scratch, .add = add };
    if (norm->C == 0)
        return;
    if (dgamma || dbeta) {
        job.n_tiles = parts_of(norm);
        pool_run(job.n_tiles, sums_tile, &job);
        add_parts(dgamma, job.sums, job.n_tiles, norm->C);
        add_parts(dbeta, job.sums + norm->C, job.n_tiles, norm->C);
    }
    job.n_tiles = pool_tiles((size_t)norm->N, 6.0 * (double)norm->C);
    pool_run(dx && norm->N > 0 ? job.n_tiles : 0, back_tile, &job);
}
