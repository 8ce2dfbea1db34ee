// SPDX-License-Identifier: MIT
/* Forward: a tile is some rows of the output. Backward: windows may overlap, so a tile owns whole images; where there are few
 * images, a slice of the channels of one. Both are cut by the sizes alone. */
#include "tensor/kern_pool.h"

#include "base/pool.h"

typedef struct Job {
    const Pooling *pool;
    real *out;
    int32_t *tap;
    const real *in;
    bool add;
    size_t n_tiles;
    int64_t slices, slice; /* of the channels; how many in one */
} Job;

/* The part of a window that lies inside the image, as taps u = first … end-1. */
typedef struct Span {
    int64_t at, first, end; /* at: image row (or column) of tap 0 */
} Span;

static Span span_of(int64_t o, int64_t stride, int64_t pad, int64_t size, int64_t in)
{
    Span s = { .at = o * stride - pad };
    s.first = s.at < 0 ? -s.at : 0;
    s.end = s.at + size > in ? in - s.at : size;
    return s;
}

#define EACH_ROW(job, tile, b, oh) \
    const Pooling *p = (job)->pool; \
    size_t row = pool_first((size_t)(p->B * p->OH), (job)->n_tiles, tile), \
           row_end = pool_first((size_t)(p->B * p->OH), (job)->n_tiles, (tile) + 1); \
    for (int64_t b = (int64_t)row / p->OH, oh = (int64_t)row % p->OH; row < row_end; row++, oh = oh + 1 < p->OH ? oh + 1 : (b++, 0))

KERN_CLONES static void first_pixel(real *restrict y, int32_t *restrict tap, const real *restrict x, int32_t k, int64_t C)
{
    for (int64_t c = 0; c < C; c++)
        y[c] = x[c];
    for (int64_t c = 0; tap && c < C; c++)
        tap[c] = k;
}

/* A NaN wins, and nothing wins over it. */
KERN_CLONES static void larger_pixel(real *restrict y, const real *restrict x, int64_t C)
{
    for (int64_t c = 0; c < C; c++) {
        real v = x[c];
        y[c] = ((v > y[c]) | (v != v)) ? v : y[c];
    }
}

KERN_CLONES static void larger_pixel_tap(real *restrict y, int32_t *restrict tap, const real *restrict x, int32_t k, int64_t C)
{
    for (int64_t c = 0; c < C; c++) {
        real v = x[c], old = y[c];
        int wins = (v > old) | ((v != v) & (old == old));
        y[c] = wins ? v : old;
        tap[c] = wins ? k : tap[c];
    }
}

static void max_window(const Pooling *p, real *y, int32_t *tap, const real *x, Span h, Span w)
{
    for (int64_t u = h.first; u < h.end; u++)
        for (int64_t v = w.first; v < w.end; v++) {
            const real *pixel = x + ((h.at + u) * p->W + w.at + v) * p->C;
            int32_t k = (int32_t)(u * p->KW + v);
            if (u == h.first && v == w.first)
                first_pixel(y, tap, pixel, k, p->C);
            else if (tap)
                larger_pixel_tap(y, tap, pixel, k, p->C);
            else
                larger_pixel(y, pixel, p->C);
        }
}

static void max_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    (void)worker;
    EACH_ROW(job, tile, b, oh)
    {
        Span h = span_of(oh, p->stride_h, p->pad_top, p->KH, p->H);
        int64_t o = (b * p->OH + oh) * p->OW * p->C;
        for (int64_t ow = 0; ow < p->OW; ow++, o += p->C)
            max_window(p, job->out + o, job->tap ? job->tap + o : NULL, job->in + b * p->H * p->W * p->C, h,
                       span_of(ow, p->stride_w, p->pad_left, p->KW, p->W));
    }
}

KERN_CLONES static void add_scaled(real *restrict y, const real *restrict x, real a, int64_t C)
{
    for (int64_t c = 0; c < C; c++)
        y[c] += a * x[c];
}

KERN_CLONES static void add_where(real *restrict dx, const real *restrict dy, const int32_t *restrict tap, int32_t k, int64_t C)
{
    for (int64_t c = 0; c < C; c++)
        dx[c] += tap[c] == k ? dy[c] : 0;
}

static void mean_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    (void)worker;
    EACH_ROW(job, tile, b, oh)
    {
        Span h = span_of(oh, p->stride_h, p->pad_top, p->KH, p->H);
        real *y = job->out + (b * p->OH + oh) * p->OW * p->C;
        for (int64_t ow = 0; ow < p->OW; ow++, y += p->C) {
            Span w = span_of(ow, p->stride_w, p->pad_left, p->KW, p->W);
            real share = 1 / (real)((h.end - h.first) * (w.end - w.first));
            for (int64_t c = 0; c < p->C; c++)
                y[c] = 0;
            for (int64_t u = h.first; u < h.end; u++)
                for (int64_t v = w.first; v < w.end; v++)
                    add_scaled(y, job->in + ((b * p->H + h.at + u) * p->W + w.at + v) * p->C, share, p->C);
        }
    }
}

/* ---- backward ---- */

static void clear_slice(const Job *job, int64_t b, int64_t first, int64_t n)
{
    const Pooling *p = job->pool;
    for (int64_t i = 0; i < p->H * p->W; i++)
        for (int64_t c = 0; c < n; c++)
            job->out[(b * p->H * p->W + i) * p->C + first + c] = 0;
}

static void spread_window(const Job *job, int64_t b, int64_t o, int64_t first, int64_t n, Span h, Span w)
{
    const Pooling *p = job->pool;
    real share = 1 / (real)((h.end - h.first) * (w.end - w.first));
    for (int64_t u = h.first; u < h.end; u++)
        for (int64_t v = w.first; v < w.end; v++) {
            real *dx = job->out + ((b * p->H + h.at + u) * p->W + w.at + v) * p->C + first;
            if (job->tap)
                add_where(dx, job->in + o, job->tap + o, (int32_t)(u * p->KW + v), n);
            else
                add_scaled(dx, job->in + o, share, n);
        }
}

static void back_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    const Pooling *p = job->pool;
    int64_t b = (int64_t)tile / job->slices, first = (int64_t)tile % job->slices * job->slice;
    int64_t n = p->C - first < job->slice ? p->C - first : job->slice;
    (void)worker;
    if (!job->add)
        clear_slice(job, b, first, n);
    for (int64_t oh = 0; oh < p->OH; oh++)
        for (int64_t ow = 0; ow < p->OW; ow++)
            spread_window(job, b, ((b * p->OH + oh) * p->OW + ow) * p->C + first, first, n,
                          span_of(oh, p->stride_h, p->pad_top, p->KH, p->H), span_of(ow, p->stride_w, p->pad_left, p->KW, p->W));
}

static void run_forward(Job *job, PoolFn fn)
{
    const Pooling *p = job->pool;
    job->n_tiles = pool_tiles((size_t)(p->B * p->OH), (double)(p->OW * p->C * p->KH * p->KW) / 2);
    pool_run(p->B * p->OH > 0 ? job->n_tiles : 0, fn, job);
}

static void run_back(Job *job)
{
    const Pooling *p = job->pool;
    job->slice = p->B >= 8 ? p->C : 16;
    job->slices = (p->C + job->slice - 1) / job->slice;
    pool_run((size_t)(p->B * job->slices), back_tile, job);
}

void kern_pool_max(const Pooling *pool, real *y, int32_t *tap, const real *x)
{
    run_forward(&(Job){ .pool = pool, .out = y, .tap = tap, .in = x }, max_tile);
}

void kern_pool_mean(const Pooling *pool, real *y, const real *x)
{
    run_forward(&(Job){ .pool = pool, .out = y, .in = x }, mean_tile);
}

void kern_pool_max_back(const Pooling *pool, real *dx, bool add, const real *dy, const int32_t *tap)
{
    run_back(&(Job){ .pool = pool, .out = dx, .tap = (int32_t *)tap, .in = dy, .add = add });
}

void kern_pool_mean_back(const Pooling *pool, real *dx, bool add, const real *dy)
{
    run_back(&(Job){ .pool = pool, .out = dx, .in = dy, .add = add });
}
