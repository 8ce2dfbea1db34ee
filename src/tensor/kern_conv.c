// SPDX-License-Identifier: MIT
/* Three loops over tiles, each a few calls of the single-threaded product on patches in the worker's own memory:
 *   forward    rows of y; bias and activation are applied while the rows are in the cache
 *   data       tiles own images, or bands of rows of one image: pixels whose patches overlap two bands are computed for both,
 *              so that no two tiles add to the same element
 *   kernel     each part of P has a sum of its own; the sums are then added in the order of the parts
 * Tiles are cut by the sizes alone: the same bits for any number of threads. */
#include "tensor/kern_conv.h"

#include <string.h>

#include "base/pool.h"

#define CONV_CACHE 65536     /* elements of patches laid out at a time: half of a common second-level cache */
#define CONV_SUMS_MOST (1 << 23) /* elements of separate kernel sums */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Rows at a time: what the cache holds, less where the whole work is small, a multiple of 16. */
static int64_t choose_rows(const Conv *c)
{
    int64_t work = most(c->K * c->Fg, 1), rows = most(CONV_CACHE / most(c->K, 1), 16);
    int64_t enough = most(200000 / work, ceil_div(c->P, 16)); /* a tile of 200,000 multiply-adds pays for its start */
    rows = least(rows, most(enough, 16));
    return ceil_div(rows, 16) * 16;
}

/* 1, 2, 4, 8 or 16 parts, each of millions of multiply-adds, as long as their sums take little memory. */
static int64_t choose_sums(const Conv *c)
{
    double work = (double)c->P * (double)c->K * (double)c->F;
    int64_t parts = 1;
    while (parts < 16 && work / (double)(2 * parts) > 6e6 && 2 * parts * c->K * c->F <= CONV_SUMS_MOST)
        parts *= 2;
    return parts;
}

void kern_conv_plan(Conv *c)
{
    c->P = c->B * c->OH * c->OW;
    c->Cg = c->C / c->groups;
    c->Fg = c->F / c->groups;
    c->K = c->KH * c->KW * c->Cg;
    c->direct = c->KH == 1 && c->KW == 1 && c->stride_h == 1 && c->stride_w == 1 && c->pad_top == 0 && c->pad_left == 0 && c->groups == 1;
    c->rows = choose_rows(c);
    c->sum_tiles = choose_sums(c);
    int64_t pixels = most(c->OH * c->OW, 1);
    c->images = most(least(c->rows / pixels, c->B / 8), 1);
    c->bands = c->B >= 8 ? 1 : most(least(ceil_div(16, most(c->B, 1)), c->H / (4 * c->KH)), 1);
}

/* ---- scratch: for each worker patches [rows, K] and gradients before the activation [rows, F]; then the sums ---- */

static size_t cols_size(const Conv *c)
{
    return c->direct ? 0 : (size_t)ceil_div(c->rows * c->K, 16) * 16;
}

static size_t dz_size(const Conv *c)
{
    return c->act == KERN_ACT_LINEAR ? 0 : (size_t)ceil_div(c->rows * c->F, 16) * 16;
}

static size_t sum_size(const Conv *c)
{
    return (size_t)ceil_div((c->K + 1) * c->F, 16) * 16; /* the kernel's and the bias's */
}

size_t kern_conv_forward_scratch(const Conv *c)
{
    return (size_t)pool_threads() * cols_size(c) * sizeof(real);
}

size_t kern_conv_backward_scratch(const Conv *c)
{
    size_t each = cols_size(c) + dz_size(c);
    return ((size_t)pool_threads() * each + (size_t)c->sum_tiles * sum_size(c)) * sizeof(real);
}

typedef struct Job {
    const Conv *conv;
    const real *x, *kernel, *bias, *y, *dy;
    real *out, *dbias; /* y, dx or dkernel */
    bool add, add_bias;
    real *scratch, *sums;
} Job;

static real *worker_cols(const Job *job, int worker)
{
    return job->scratch + (size_t)worker * (cols_size(job->conv) + dz_size(job->conv));
}

/* Patches of n pixels of one group: laid out in the worker's memory, or x itself. */
static const real *patches(const Job *job, int64_t p, int64_t n, int64_t group, int worker)
{
    if (job->conv->direct)
        return job->x + p * job->conv->C;
    real *cols = worker_cols(job, worker);
    kern_cols_gather(job->conv, cols, job->x, p, n, group);
    return cols;
}

/* Gradients before the activation of n pixels [n, F]. */
static const real *gradients(const Job *job, int64_t p, int64_t n, int worker)
{
    const Conv *c = job->conv;
    if (c->act == KERN_ACT_LINEAR)
        return job->dy + p * c->F;
    real *dz = worker_cols(job, worker) + cols_size(c);
    kern_act_back(c->act, dz, job->dy + p * c->F, job->y + p * c->F, n * c->F);
    return dz;
}

/* ---- forward ---- */

static void forward_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    const Conv *c = job->conv;
    int64_t p = (int64_t)tile * c->rows, n = least(c->rows, c->P - p);
    real *y = job->out + p * c->F;
    real *cols = job->scratch + (size_t)worker * cols_size(c);
    for (int64_t g = 0; g < c->groups; g++) {
        const real *a = job->x + p * c->C;
        if (!c->direct) {
            kern_cols_gather(c, cols, job->x, p, n, g);
            a = cols;
        }
        kern_gemm_one(false, false, n, c->Fg, c->K, 1, a, c->K, job->kernel + g * c->Fg, c->F, 0, y + g * c->Fg, c->F);
    }
    kern_act_rows(c->act, y, job->bias, n, c->F);
}

void kern_conv_forward(const Conv *c, real *y, const real *x, const real *kernel, const real *bias, void *scratch)
{
    Job job = { .conv = c, .out = y, .x = x, .kernel = kernel, .bias = bias, .scratch = scratch };
    pool_run((size_t)ceil_div(c->P, c->rows), forward_tile, &job);
}

/* ---- gradient of the data ---- */

/* Output rows whose patches touch input rows h_first … h_end-1: oh stride - pad + kh dilation with kh = 0 … KH-1. */
static void touching(const Conv *c, int64_t h_first, int64_t h_end, int64_t *first, int64_t *end)
{
    int64_t reach = (c->KH - 1) * c->dilation_h, low = h_first + c->pad_top - reach, high = h_end - 1 + c->pad_top;
    *first = low <= 0 ? 0 : ceil_div(low, c->stride_h);
    *end = high < 0 ? 0 : least(high / c->stride_h + 1, c->OH);
    *first = least(*first, *end);
}

static void data_rows(const Job *job, int64_t p, int64_t n, int64_t h_first, int64_t h_end, int worker)
{
    const Conv *c = job->conv;
    const real *dz = gradients(job, p, n, worker);
    if (c->direct) {
        kern_gemm_one(false, true, n, c->C, c->F, 1, dz, c->F, job->kernel, c->F, job->add ? 1 : 0, job->out + p * c->C, c->C);
        return;
    }
    real *cols = worker_cols(job, worker);
    for (int64_t g = 0; g < c->groups; g++) {
        kern_gemm_one(false, true, n, c->K, c->Fg, 1, dz + g * c->Fg, c->F, job->kernel + g * c->Fg, c->F, 0, cols, c->K);
        kern_cols_scatter(c, job->out, cols, p, n, g, h_first, h_end);
    }
}

static void data_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    const Conv *c = job->conv;
    int64_t band = (int64_t)tile % c->bands, b = (int64_t)tile / c->bands * c->images, b_end = least(b + c->images, c->B);
    int64_t h_first = (int64_t)pool_first((size_t)c->H, (size_t)c->bands, (size_t)band);
    int64_t h_end = (int64_t)pool_first((size_t)c->H, (size_t)c->bands, (size_t)band + 1), oh_first, oh_end;
    touching(c, h_first, h_end, &oh_first, &oh_end);
    if (!job->add && !c->direct) /* several images only with a single band: always one piece */
        memset(job->out + (b * c->H + h_first) * c->W * c->C, 0,
               (size_t)(((b_end - b - 1) * c->H + h_end - h_first) * c->W * c->C) * sizeof(real));
    int64_t p = (b * c->OH + oh_first) * c->OW, p_end = ((b_end - 1) * c->OH + oh_end) * c->OW;
    for (; p < p_end; p += c->rows)
        data_rows(job, p, least(c->rows, p_end - p), h_first, h_end, worker);
}

void kern_conv_backward_data(const Conv *c, real *dx, bool add, const real *dy, const real *y, const real *kernel, void *scratch)
{
    Job job = { .conv = c, .out = dx, .add = add, .dy = dy, .y = y, .kernel = kernel, .scratch = scratch };
    pool_run((size_t)(ceil_div(c->B, c->images) * c->bands), data_tile, &job);
}

/* ---- gradient of the kernel ---- */

KERN_CLONES static void add_rows(real *restrict sum, const real *restrict rows, int64_t n, int64_t F)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t f = 0; f < F; f++)
            sum[f] += rows[i * F + f];
}

static void kernel_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    const Conv *c = job->conv;
    int64_t p = (int64_t)pool_first((size_t)c->P, (size_t)c->sum_tiles, tile);
    int64_t p_end = (int64_t)pool_first((size_t)c->P, (size_t)c->sum_tiles, tile + 1);
    real *sum = job->sums + tile * sum_size(c), *bias_sum = sum + c->K * c->F;
    memset(bias_sum, 0, (size_t)c->F * sizeof(real));
    if (p == p_end && job->out)
        memset(sum, 0, (size_t)(c->K * c->F) * sizeof(real));
    for (real beta = 0; p < p_end; p += c->rows, beta = 1) {
        int64_t n = least(c->rows, p_end - p);
        const real *dz = gradients(job, p, n, worker);
        for (int64_t g = 0; g < c->groups && job->out; g++)
            kern_gemm_one(true, false, c->K, c->Fg, n, 1, patches(job, p, n, g, worker), c->K, dz + g * c->Fg, c->F, beta,
                          sum + g * c->Fg, c->F);
        if (job->dbias)
            add_rows(bias_sum, dz, n, c->F);
    }
}

/* Element i of the sums of all parts, in order; the kernel's elements, then the bias's. */
static void add_sums(const Job *job, real *to, bool add, int64_t offset, int64_t n)
{
    const Conv *c = job->conv;
    const real *sum = job->sums + offset;
    for (int64_t part = 0; part < c->sum_tiles; part++, sum += sum_size(c)) {
        if (part > 0 || add)
            kern_add_to(to, sum, n);
        else
            kern_copy(to, sum, n);
    }
}

#define SUM_BLOCK 16384

static void sum_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    int64_t n = job->conv->K * job->conv->F, first = (int64_t)tile * SUM_BLOCK;
    (void)worker;
    add_sums(job, job->out + first, job->add, first, least(SUM_BLOCK, n - first));
}

void kern_conv_backward_kernel(const Conv *c, real *dkernel, bool add, real *dbias, bool add_bias, const real *x, const real *dy,
                               const real *y, void *scratch)
{
    Job job = { .conv = c, .out = dkernel, .add = add, .dbias = dbias, .add_bias = add_bias, .x = x, .dy = dy, .y = y, .scratch = scratch };
    job.sums = job.scratch + (size_t)pool_threads() * (cols_size(c) + dz_size(c));
    pool_run((size_t)c->sum_tiles, kernel_tile, &job);
    if (dkernel)
        pool_run((size_t)ceil_div(c->K * c->F, SUM_BLOCK), sum_tile, &job);
    if (dbias)
        add_sums(&job, dbias, add_bias, c->K * c->F, c->F);
}
