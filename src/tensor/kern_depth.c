// SPDX-License-Identifier: MIT
/* One filter a channel is the common case: a block of channels stays in registers while the taps of the window go by. With several
 * filters the loop over them is innermost. */
#include "tensor/kern_depth.h"

#include "base/pool.h"

#define LANES 16
#define PARTS 16 /* separate sums of the kernel's gradient, at most */

typedef struct Job {
    const Depth *depth;
    real *out;
    const real *x, *kernel, *bias, *dy;
    bool add;
    size_t n_tiles;
} Job;

/* Taps first, first + step … before end touch the image, at `at` + tap * apart. */
typedef struct Taps {
    int64_t at, apart, first, end, step;
} Taps;

/* Below output o: input o stride - pad + u dilation. */
static Taps taps_forward(int64_t o, int64_t stride, int64_t pad, int64_t dilation, int64_t size, int64_t in)
{
    Taps t = { .at = o * stride - pad, .apart = dilation, .step = 1 };
    t.first = t.at < 0 ? (-t.at + dilation - 1) / dilation : 0;
    t.end = t.at >= in ? 0 : (in - t.at + dilation - 1) / dilation;
    t.end = t.end > size ? size : t.end;
    return t;
}

/* Above input i: output (i + pad - u dilation) / stride, where that is whole. Counted in outputs: stride and dilation are not both
 * above 1, so either every tap counts, or every stride-th, which lie one output apart. */
static Taps taps_backward(int64_t i, int64_t stride, int64_t pad, int64_t dilation, int64_t size, int64_t out)
{
    int64_t reach = i + pad;
    Taps t = { .step = stride };
    t.first = reach % stride;
    t.apart = -dilation; /* per tap; divided by the stride where steps are taken */
    t.at = reach;
    while (t.first < size && (t.at - t.first * dilation) / stride >= out)
        t.first += stride;
    t.end = reach / dilation + 1;
    t.end = t.end > size ? size : t.end;
    return t;
}

/* ---- forward ---- */

/* Channels c … c+n-1 of one pixel; inlined with n = LANES, so that the sums stay in registers, and once more for what is left. */
KERN_INLINE void forward_lanes(const Depth *d, real *restrict y, const real *restrict x, const real *restrict kernel, const real *bias,
                               Taps h, Taps w, int64_t c, int64_t n)
{
    real acc[LANES] = { 0 };
    const int64_t C = d->C, KW = d->KW, line = d->W * C * h.apart, column = C * w.apart;
    for (int64_t l = 0; bias && l < n; l++)
        acc[l] = bias[c + l];
    for (int64_t u = h.first; u < h.end; u++) {
        const real *px = x + (h.at * d->W + w.at) * C + c + u * line + w.first * column, *pk = kernel + (u * KW + w.first) * C + c;
        for (int64_t v = w.first; v < w.end; v++, px += column, pk += C)
            for (int64_t l = 0; l < n; l++)
                acc[l] += px[l] * pk[l];
    }
    for (int64_t l = 0; l < n; l++)
        y[c + l] = acc[l];
}

KERN_CLONES static void forward_pixel(const Depth *d, real *restrict y, const real *restrict x, const real *restrict kernel,
                                      const real *bias, Taps h, Taps w)
{
    int64_t c = 0;
    for (; c + LANES <= d->C; c += LANES)
        forward_lanes(d, y, x, kernel, bias, h, w, c, LANES);
    if (c < d->C)
        forward_lanes(d, y, x, kernel, bias, h, w, c, d->C - c);
}

KERN_CLONES static void forward_filters(const Depth *d, real *restrict y, const real *restrict x, const real *restrict kernel,
                                        const real *bias, Taps h, Taps w)
{
    int64_t C = d->C, M = d->M;
    for (int64_t i = 0; i < C * M; i++)
        y[i] = bias ? bias[i] : 0;
    for (int64_t u = h.first; u < h.end; u++)
        for (int64_t v = w.first; v < w.end; v++) {
            const real *px = x + ((h.at + u * h.apart) * d->W + w.at + v * w.apart) * C, *pk = kernel + (u * d->KW + v) * C * M;
            for (int64_t c = 0; c < C; c++)
                for (int64_t m = 0; m < M; m++)
                    y[c * M + m] += px[c] * pk[c * M + m];
        }
}

static void forward_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Job *job = ctx;
    const Depth *d = job->depth;
    size_t end = pool_first((size_t)(d->B * d->OH), job->n_tiles, tile + 1);
    for (size_t row = pool_first((size_t)(d->B * d->OH), job->n_tiles, tile); row < end; row++) {
        int64_t b = (int64_t)row / d->OH, oh = (int64_t)row % d->OH;
        const real *x = job->x + b * d->H * d->W * d->C;
        real *y = job->out + (int64_t)row * d->OW * d->C * d->M;
        Taps h = taps_forward(oh, d->stride_h, d->pad_top, d->dilation_h, d->KH, d->H);
        for (int64_t ow = 0; ow < d->OW; ow++, y += d->C * d->M) {
            Taps w = taps_forward(ow, d->stride_w, d->pad_left, d->dilation_w, d->KW, d->W);
            (d->M == 1 ? forward_pixel : forward_filters)(d, y, x, job->kernel, job->bias, h, w);
        }
    }
}

void kern_depth_forward(const Depth *d, real *y, const real *x, const real *kernel, const real *bias)
{
    Job job = { .depth = d, .out = y, .x = x, .kernel = kernel, .bias = bias };
    job.n_tiles = pool_tiles((size_t)(d->B * d->OH), (double)(d->OW * d->C * d->M * d->KH * d->KW));
    pool_run(d->B * d->OH > 0 ? job.n_tiles : 0, forward_tile, &job);
}

/* ---- data ---- */

KERN_INLINE void data_lanes(const Depth *d, real *restrict dx, bool add, const real *restrict dy, const real *restrict kernel, Taps h,
                            Taps w, int64_t c, int64_t n)
{
    real acc[LANES] = { 0 };
    const int64_t C = d->C, ow = (w.at + w.first * w.apart) / w.step, column = (w.step > 1 ? -1 : w.apart) * C;
    for (int64_t u = h.first; u < h.end; u += h.step) {
        const real *py = dy + ((h.at + u * h.apart) / h.step * d->OW + ow) * C + c, *pk = kernel + (u * d->KW + w.first) * C + c;
        for (int64_t v = w.first; v < w.end; v += w.step, py += column, pk += w.step * C)
            for (int64_t l = 0; l < n; l++)
                acc[l] += py[l] * pk[l];
    }
    for (int64_t l = 0; l < n; l++)
        dx[c + l] = (add ? dx[c + l] : 0) + acc[l];
}

KERN_CLONES static void data_pixel(const Depth *d, real *restrict dx, bool add, const real *restrict dy, const real *restrict kernel,
                                   Taps h, Taps w)
{
    int64_t c = 0;
    for (; c + LANES <= d->C; c += LANES)
        data_lanes(d, dx, add, dy, kernel, h, w, c, LANES);
    if (c < d->C)
        data_lanes(d, dx, add, dy, kernel, h, w, c, d->C - c);
}

KERN_CLONES static void data_filters(const Depth *d, real *restrict dx, bool add, const real *restrict dy,
                                     const real *restrict kernel, Taps h, Taps w)
{
    int64_t C = d->C, M = d->M;
    for (int64_t c = 0; c < C; c++)
        dx[c] = add ? dx[c] : 0;
    for (int64_t u = h.first; u < h.end; u += h.step)
        for (int64_t v = w.first; v < w.end; v += w.step) {
            int64_t oh = (h.at + u * h.apart) / h.step, ow = (w.at + v * w.apart) / w.step;
            const real *py = dy + (oh * d->OW + ow) * C * M, *pk = kernel + (u * d->KW + v) * C * M;
            for (int64_t c = 0; c < C; c++) {
                real sum = 0;
                for (int64_t m = 0; m < M; m++)
                    sum += py[c * M + m] * pk[c * M + m];
                dx[c] += sum;
            }
        }
}

static void data_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Job *job = ctx;
    const Depth *d = job->depth;
    size_t end = pool_first((size_t)(d->B * d->H), job->n_tiles, tile + 1);
    for (size_t row = pool_first((size_t)(d->B * d->H), job->n_tiles, tile); row < end; row++) {
        int64_t b = (int64_t)row / d->H, ih = (int64_t)row % d->H;
        const real *dy = job->dy + b * d->OH * d->OW * d->C * d->M;
        real *dx = job->out + (int64_t)row * d->W * d->C;
        Taps h = taps_backward(ih, d->stride_h, d->pad_top, d->dilation_h, d->KH, d->OH);
        for (int64_t iw = 0; iw < d->W; iw++, dx += d->C) {
            Taps w = taps_backward(iw, d->stride_w, d->pad_left, d->dilation_w, d->KW, d->OW);
            (d->M == 1 ? data_pixel : data_filters)(d, dx, job->add, dy, job->kernel, h, w);
        }
    }
}

void kern_depth_backward_data(const Depth *d, real *dx, bool add, const real *dy, const real *kernel)
{
    Job job = { .depth = d, .out = dx, .add = add, .dy = dy, .kernel = kernel };
    job.n_tiles = pool_tiles((size_t)(d->B * d->H), (double)(d->W * d->C * d->M * d->KH * d->KW));
    pool_run(d->B * d->H > 0 ? job.n_tiles : 0, data_tile, &job);
}

/* ---- kernel ---- */

/* Output pixels ow = first … end-1 whose tap v lies in the image. */
static void columns_of(const Depth *d, int64_t v, int64_t *first, int64_t *end)
{
    int64_t at = v * d->dilation_w - d->pad_left;
    *first = at < 0 ? (-at + d->stride_w - 1) / d->stride_w : 0;
    *end = at >= d->W ? 0 : (d->W - 1 - at) / d->stride_w + 1;
    *end = *end > d->OW ? d->OW : *end;
}

KERN_INLINE void sum_lanes(real *restrict sum, const real *restrict x, int64_t step, const real *restrict dy, int64_t n, int64_t C,
                           int64_t c, int64_t width)
{
    real acc[LANES] = { 0 };
    for (int64_t i = 0; i < n; i++)
        for (int64_t l = 0; l < width; l++)
            acc[l] += x[i * step + c + l] * dy[i * C + c + l];
    for (int64_t l = 0; l < width; l++)
        sum[c + l] += acc[l];
}

/* sum [C M] += over n pixels of x * dy */
KERN_CLONES static void sum_line(real *restrict sum, const real *restrict x, int64_t step, const real *restrict dy, int64_t n, int64_t C,
                                 int64_t M)
{
    int64_t c = 0;
    for (; M == 1 && c + LANES <= C; c += LANES)
        sum_lanes(sum, x, step, dy, n, C, c, LANES);
    if (M == 1 && c < C)
        sum_lanes(sum, x, step, dy, n, C, c, C - c);
    for (int64_t i = 0; M > 1 && i < n; i++)
        for (c = 0; c < C; c++)
            for (int64_t m = 0; m < M; m++)
                sum[c * M + m] += x[i * step + c] * dy[i * C * M + c * M + m];
}

KERN_CLONES static void sum_bias(real *restrict sum, const real *restrict dy, int64_t n, int64_t width)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < width; c++)
            sum[c] += dy[i * width + c];
}

static int64_t sums_size(const Depth *d)
{
    return (d->KH * d->KW + 1) * d->C * d->M;
}

static size_t parts_of(const Depth *d)
{
    size_t tiles = pool_tiles((size_t)(d->B * d->OH), (double)(d->OW * d->C * d->M * d->KH * d->KW));
    return tiles < PARTS ? tiles : PARTS;
}

static void kernel_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Job *job = ctx;
    const Depth *d = job->depth;
    int64_t width = d->C * d->M, size = sums_size(d);
    real *sums = job->out + (int64_t)tile * size;
    for (int64_t i = 0; i < size; i++)
        sums[i] = 0;
    size_t end = pool_first((size_t)(d->B * d->OH), job->n_tiles, tile + 1);
    for (size_t row = pool_first((size_t)(d->B * d->OH), job->n_tiles, tile); row < end; row++) {
        int64_t b = (int64_t)row / d->OH, oh = (int64_t)row % d->OH, first, stop;
        const real *dy = job->dy + (int64_t)row * d->OW * width;
        Taps h = taps_forward(oh, d->stride_h, d->pad_top, d->dilation_h, d->KH, d->H);
        for (int64_t u = h.first; u < h.end; u++)
            for (int64_t v = 0; v < d->KW; v++) {
                columns_of(d, v, &first, &stop);
                int64_t iw = first * d->stride_w - d->pad_left + v * d->dilation_w;
                const real *x = job->x + ((b * d->H + h.at + u * h.apart) * d->W + iw) * d->C;
                if (stop > first)
                    sum_line(sums + (u * d->KW + v) * width, x, d->stride_w * d->C, dy + first * width, stop - first, d->C, d->M);
            }
        sum_bias(sums + d->KH * d->KW * width, dy, d->OW, width);
    }
}

size_t kern_depth_scratch(const Depth *d)
{
    return parts_of(d) * (size_t)sums_size(d) * sizeof(real);
}

void kern_depth_backward_kernel(const Depth *d, real *dkernel, real *dbias, const real *x, const real *dy, void *scratch)
{
    Job job = { .depth = d, .out = scratch, .x = x, .dy = dy, .n_tiles = parts_of(d) };
    int64_t size = sums_size(d), bias = d->KH * d->KW * d->C * d->M;
    pool_run(job.n_tiles, kernel_tile, &job);
    for (int64_t i = 0; i < size; i++) {
        double sum = 0;
        for (size_t p = 0; p < job.n_tiles; p++)
            sum += (double)job.out[(int64_t)p * size + i];
        if (i < bias)
            dkernel[i] = (real)sum;
        else if (dbias)
            dbias[i - bias] = (real)sum;
    }
}
