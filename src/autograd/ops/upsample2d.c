// SPDX-License-Identifier: MIT
/* x [B, H, W, C] -> y [B, H SH, W SW, C]. Bilinear with pixels' centres at halves, as TensorFlow and PyTorch (align_corners false)
 * have it: line o of y stands at (o + 1/2) / SH - 1/2 of x; beyond the first and last line it is these. Backward walks over lines
 * of x and gathers, so that a line of dx belongs to one tile. */
#include <math.h>
#include <string.h>

#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern.h"

static const char *const interpolations[] = { "nearest", "bilinear", NULL };
static const ArgSpec args[] = {
    { .name = "size", .type = ARG_INTS, .count = 2, .fallback = "2,2", .least = 1, .most = 65536, .help = "factors: height, width" },
    { .name = "interpolation", .type = ARG_CHOICE, .fallback = "nearest", .choices = interpolations, .help = "how pixels between are made" },
};

/* Line o of y is (1 - part) of line low of x and `part` of line high. */
typedef struct Between {
    int64_t low, high;
    real part;
} Between;

static Between between(int64_t o, int64_t factor, int64_t n, bool bilinear)
{
    if (!bilinear)
        return (Between){ o / factor, o / factor, 0 };
    double at = ((double)o + 0.5) / (double)factor - 0.5, below = floor(at);
    Between b = { .low = (int64_t)below, .part = (real)(at - below) };
    b.high = b.low + 1 < n ? b.low + 1 : n - 1;
    b.low = b.low < 0 ? 0 : b.low;
    return b;
}

static real weight_of(const Between *b, int64_t i)
{
    return (b->low == i ? 1 - b->part : 0) + (b->high == i ? b->part : 0);
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape;
    const int64_t *size = args_ints(call->args, "size", NULL);
    char text[SHAPE_TEXT];
    if (x->rank != 4 || x->d[1] < 1 || x->d[2] < 1)
        return op_refuse(call, err, "x must have shape (batch, height, width, channels), got %s", shape_text(x, text));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = *x;
    for (int i = 0; i < 2; i++)
        if (__builtin_mul_overflow(x->d[i + 1], size[i], &call->out.shape.d[i + 1]))
            return op_refuse(call, err, "%lld times shape %s is more than memory can hold", (long long)size[i], shape_text(x, text));
    return true;
}

typedef struct Job {
    OpCall *call;
    int64_t H, W, C, SH, SW;
    bool bilinear;
    size_t N, n_tiles;
} Job;

/* y = sum of four pixels with their weights */
KERN_CLONES static void mix(real *restrict y, const real *a, const real *b, const real *c, const real *d, real wa, real wb, real wc, real wd,
                            int64_t C)
{
    for (int64_t i = 0; i < C; i++)
        y[i] = wa * a[i] + wb * b[i] + wc * c[i] + wd * d[i];
}

static void forward_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Job *j = ctx;
    int64_t OH = j->H * j->SH, OW = j->W * j->SW, C = j->C;
    size_t end = pool_first(j->N, j->n_tiles, tile + 1);
    for (size_t row = pool_first(j->N, j->n_tiles, tile); row < end; row++) {
        Between h = between((int64_t)row % OH, j->SH, j->H, j->bilinear);
        const real *image = tensor_real(&j->call->in[0]) + (int64_t)row / OH * j->H * j->W * C;
        const real *low = image + h.low * j->W * C, *high = image + h.high * j->W * C;
        real *y = tensor_real(&j->call->out) + (int64_t)row * OW * C;
        for (int64_t ow = 0; ow < OW; ow++, y += C) {
            Between w = between(ow, j->SW, j->W, j->bilinear);
            if (j->bilinear)
                mix(y, low + w.low * C, low + w.high * C, high + w.low * C, high + w.high * C, (1 - h.part) * (1 - w.part),
                    (1 - h.part) * w.part, h.part * (1 - w.part), h.part * w.part, C);
            else
                memcpy(y, low + w.low * C, (size_t)C * sizeof(real));
        }
    }
}

KERN_CLONES static void add_pixel(real *restrict dx, const real *restrict dy, real weight, int64_t C)
{
    for (int64_t i = 0; i < C; i++)
        dx[i] += weight * dy[i];
}

/* Lines of y that line i of x may have a part in: first … end-1. */
static void lines_of(int64_t i, int64_t factor, int64_t n, bool bilinear, int64_t *first, int64_t *end)
{
    *first = bilinear && i > 0 ? (i - 1) * factor : i * factor;
    *end = bilinear && i + 1 < n ? (i + 2) * factor : (i + 1) * factor;
}

static void backward_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Job *j = ctx;
    int64_t OW = j->W * j->SW, C = j->C, h0, h1, w0, w1;
    size_t end = pool_first(j->N, j->n_tiles, tile + 1);
    for (size_t row = pool_first(j->N, j->n_tiles, tile); row < end; row++) {
        int64_t ih = (int64_t)row % j->H;
        const real *dy = j->call->dout + (int64_t)row / j->H * j->H * j->SH * OW * C;
        real *dx = j->call->din[0] + (int64_t)row * j->W * C;
        for (int64_t i = 0; i < j->W * C && !j->call->add[0]; i++)
            dx[i] = 0;
        lines_of(ih, j->SH, j->H, j->bilinear, &h0, &h1);
        for (int64_t oh = h0; oh < h1; oh++) {
            Between h = between(oh, j->SH, j->H, j->bilinear);
            real wh = weight_of(&h, ih);
            for (int64_t iw = 0; wh != 0 && iw < j->W; iw++) {
                lines_of(iw, j->SW, j->W, j->bilinear, &w0, &w1);
                for (int64_t ow = w0; ow < w1; ow++) {
                    Between w = between(ow, j->SW, j->W, j->bilinear);
                    real weight = wh * weight_of(&w, iw);
                    if (weight != 0)
                        add_pixel(dx + iw * C, dy + (oh * OW + ow) * C, weight, C);
                }
            }
        }
    }
}

static Job job_of(OpCall *call)
{
    const Shape *x = &call->in[0].shape;
    const int64_t *size = args_ints(call->args, "size", NULL);
    return (Job){ .call = call, .H = x->d[1], .W = x->d[2], .C = x->d[3], .SH = size[0], .SW = size[1],
                  .bilinear = !strcmp(args_choice(call->args, "interpolation"), "bilinear") };
}

static void forward(OpCall *call)
{
    Job j = job_of(call);
    j.N = (size_t)(call->in[0].shape.d[0] * j.H * j.SH);
    j.n_tiles = pool_tiles(j.N, (double)(j.W * j.SW * (j.C + 8)));
    pool_run(j.N > 0 ? j.n_tiles : 0, forward_tile, &j);
}

static void backward(OpCall *call)
{
    Job j = job_of(call);
    j.N = (size_t)(call->in[0].shape.d[0] * j.H);
    j.n_tiles = pool_tiles(j.N, (double)(j.SH * j.W * j.SW * (j.C + 8)));
    pool_run(call->din[0] && j.N > 0 ? j.n_tiles : 0, backward_tile, &j);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 4, { 2, 3, 2, 3 } } }, .n_in = 1 },
    { .in = { { 4, { 1, 2, 3, 2 } } }, .n_in = 1, .args = "size=3,1" },
    { .in = { { 4, { 2, 3, 4, 2 } } }, .n_in = 1, .args = "interpolation=bilinear" },
    { .in = { { 4, { 1, 1, 3, 2 } } }, .n_in = 1, .args = "size=2,3 interpolation=bilinear" },
};

const Op op_upsample2d = {
    .name = "upsample2d",
    .doc = "upsample2d(x, {size = {2, 2}, interpolation = \"nearest\"}) -> y: images made larger by whole factors. nearest: every pixel\n"
           "several times; bilinear: mixed from the nearest four, pixels standing at their centres.\n"
           "Shapes: x [B, H, W, C] -> y [B, H * size1, W * size2, C].",
    .example = "local y = op.upsample2d({{{{1}, {2}}}}); assert(y[1][2][2][1] == 1 and y[1][1][3][1] == 2)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
