// SPDX-License-Identifier: MIT
/* Gradients of the convolution.
 *   data    Mostly a convolution of dz (dy times the activation's slope) with the kernel turned round. Where that would multiply
 *           many zeros (strides, few input channels, tiny images without padding), matrix products give the gradients of
 *           patches, which are added up: each image of dx belongs to one tile.
 *   kernel  Each part of the chunks has a sum of its own; these are added in the order of the parts.
 * Everything is cut by the sizes alone: the same bits for any number of threads. */
#include <string.h>

#include "base/pool.h"
#include "tensor/kern_frame.h"

#define PATCH_CACHE 65536 /* elements of patches at a time */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t round_up(int64_t n)
{
    return (n + TILE_WIDTH - 1) / TILE_WIDTH * TILE_WIDTH;
}

typedef struct Job {
    const Conv *conv;
    KernAct act; /* its slope belongs to dy */
    const real *x, *kernel, *panels, *y, *dy;
    real *out, *dbias; /* dx or dkernel */
    bool add;
    real *scratch, *sums;
} Job;

/* ---- data, by the turned kernel ---- */

static bool turns(const Conv *c)
{
    return c->stride_h == 1 && c->stride_w == 1 && c->Cg >= 8 && 3 * c->W <= 4 * c->OW;
}

static Conv turned_round(const Conv *c)
{
    Conv r = { .B = c->B, .H = c->OH, .W = c->OW, .C = c->F, .KH = c->KH, .KW = c->KW, .F = c->C, .OH = c->H, .OW = c->W };
    r.stride_h = r.stride_w = 1;
    r.dilation_h = c->dilation_h, r.dilation_w = c->dilation_w;
    r.pad_top = c->reach_h - 1 - c->pad_top, r.pad_left = c->reach_w - 1 - c->pad_left;
    r.groups = c->groups;
    kern_conv_plan(&r);
    return r;
}

static void turned_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    const Conv *r = job->conv;
    Chunk chunk = kern_chunk(r, (int64_t)tile);
    Field field = kern_field(r, &chunk, job->dy, job->act, job->y, job->scratch + (size_t)worker * kern_frame_size(r));
    kern_chunk_products(r, &chunk, job->out, job->add, &field, NULL, job->panels);
}

static size_t turned_scratch(const Conv *c)
{
    Conv r = turned_round(c);
    return ((size_t)pool_threads() * kern_frame_size(&r) + kern_panels_size(&r)) * sizeof(real);
}

static void turned_data(const Conv *c, Job *job)
{
    Conv r = turned_round(c);
    real *panels = job->scratch + (size_t)pool_threads() * kern_frame_size(&r);
    kern_panels(&r, panels, job->kernel, true);
    job->conv = &r;
    job->panels = panels;
    pool_run((size_t)r.chunks, turned_tile, job);
}

/* ---- data, by patches ---- */

/* Images of a tile: as many as give the product a few hundred rows, but tiles for several workers. */
static int64_t patch_images(const Conv *c)
{
    int64_t images = 256 / most(c->OH * c->OW, 1);
    return most(least(images, c->B / 8), 1);
}

static int64_t patch_rows(const Conv *c)
{
    int64_t rows = most(PATCH_CACHE / c->K, 16);
    return least(rows, most(patch_images(c) * c->OH * c->OW, 1));
}

static int64_t patch_size(const Conv *c)
{
    return round_up(patch_rows(c) * (c->K + c->F));
}

KERN_CLONES static void add_line(real *restrict to, const real *restrict from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += from[i];
}

/* dx [H, W, C] of one image += the patch of output pixel (oh, ow), one group. */
static void add_patch(const Conv *c, real *dx, const real *patch, int64_t oh, int64_t ow, int64_t g)
{
    int64_t ih = oh * c->stride_h - c->pad_top, iw0 = ow * c->stride_w - c->pad_left;
    bool piece = c->dilation_w == 1 && c->groups == 1;
    int64_t before = most(-iw0, 0), n = least(c->KW, c->W - iw0) - before; /* of a line that is one piece */
    for (int64_t u = 0; u < c->KH; u++, ih += c->dilation_h, patch += c->KW * c->Cg) {
        if (ih < 0 || ih >= c->H)
            continue;
        if (piece && n > 0)
            add_line(dx + (ih * c->W + iw0 + before) * c->C, patch + before * c->C, n * c->C);
        for (int64_t v = 0; v < c->KW && !piece; v++) {
            int64_t iw = iw0 + v * c->dilation_w;
            if (iw >= 0 && iw < c->W)
                add_line(dx + (ih * c->W + iw) * c->C + g * c->Cg, patch + v * c->Cg, c->Cg);
        }
    }
}

static void patch_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    const Conv *c = job->conv;
    int64_t pixels = c->OH * c->OW, rows = patch_rows(c), b = (int64_t)tile * patch_images(c),
            images = least(patch_images(c), c->B - b);
    real *patches = job->scratch + worker * patch_size(c), *dz = patches + rows * c->K;
    if (!job->add)
        memset(job->out + b * c->H * c->W * c->C, 0, (size_t)(images * c->H * c->W * c->C) * sizeof(real));
    for (int64_t p = b * pixels; p < (b + images) * pixels; p += rows) {
        int64_t n = least(rows, (b + images) * pixels - p);
        kern_act_back(job->act, dz, job->dy + p * c->F, job->y + p * c->F, n * c->F);
        for (int64_t g = 0; g < c->groups; g++) {
            kern_gemm_one(false, true, n, c->K, c->Fg, 1, dz + g * c->Fg, c->F, job->kernel + g * c->Fg, c->F, 0, patches, c->K);
            for (int64_t i = p; i < p + n; i++)
                add_patch(c, job->out + i / pixels * c->H * c->W * c->C, patches + (i - p) * c->K, i % pixels / c->OW, i % c->OW,
                          g);
        }
    }
}

void kern_conv_backward_data(const Conv *c, real *dx, bool add, const real *dy, const real *y, const real *kernel, void *scratch)
{
    Job job = { .conv = c, .act = c->act, .out = dx, .add = add, .dy = dy, .y = y, .kernel = kernel, .scratch = scratch };
    if (turns(c))
        turned_data(c, &job);
    else
        pool_run((size_t)((c->B + patch_images(c) - 1) / patch_images(c)), patch_tile, &job);
}

/* ---- kernel ---- */

/* dz of a chunk, with room to read a whole panel at its end; not needed where dy itself will do. */
static bool copies_dz(const Conv *c)
{
    return c->act != KERN_ACT_LINEAR || c->Fg % TILE_WIDTH != 0;
}

static int64_t kernel_worker_size(const Conv *c)
{
    int64_t dz = copies_dz(c) ? c->images * c->lines * c->OW * c->F + TILE_WIDTH : 0;
    return round_up((c->framed ? (int64_t)kern_frame_size(c) : 0) + dz);
}

static int64_t sum_size(const Conv *c)
{
    return round_up((c->K + 1) * c->F); /* the kernel's, then the bias's */
}

size_t kern_conv_backward_scratch(const Conv *c)
{
    size_t kernel = (size_t)(pool_threads() * kernel_worker_size(c) + c->parts * sum_size(c)) * sizeof(real);
    size_t data = turns(c) ? turned_scratch(c) : (size_t)(pool_threads() * patch_size(c)) * sizeof(real);
    return kernel > data ? kernel : data;
}

KERN_CLONES static void add_rows(real *restrict sum, const real *restrict rows, int64_t n, int64_t F)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t f = 0; f < F; f++)
            sum[f] += rows[i * F + f];
}

/* sum [K, F] += the products of one chunk: for each line of taps and each panel of output channels. */
static void chunk_sums(const Conv *c, const Chunk *chunk, real *sum, const Field *field, const real *dz)
{
    bool piece = c->dilation_w == 1 && c->groups == 1;
    int64_t n_taps = piece ? 1 : c->KW, of_group = c->panels / c->groups;
    TileSum t = { .n_images = chunk->n_images, .n_rows = chunk->n_lines, .n = c->OW, .a_image = field->image };
    t.a_row = c->stride_h * field->line, t.step = c->stride_w * c->C, t.ldb = c->F, t.ldsum = c->F,
    t.run = piece ? c->KW * c->C : c->Cg;
    const TileKernels *kernels = kern_tile(KERN_TILE_BEST);
    for (int64_t panel = 0; panel < c->panels; panel++) {
        int64_t g = panel / of_group, f0 = panel % of_group * TILE_WIDTH, f = g * c->Fg + f0;
        t.width = least(c->Fg - f0, TILE_WIDTH);
        for (int64_t u = 0; u < c->KH; u++)
            for (int64_t v = 0; v < n_taps; v++)
                kernels->sum(&t, sum + (u * c->KW + v) * c->Cg * c->F + f,
                             field->data + u * c->dilation_h * field->line + v * c->dilation_w * c->C + g * c->Cg, dz + f);
    }
}

static void kernel_chunk(const Job *job, int64_t i, real *sum, real *bias_sum, real *memory)
{
    const Conv *c = job->conv;
    Chunk chunk = kern_chunk(c, i);
    int64_t n = chunk.n_images * chunk.n_lines * c->OW, at = (chunk.b * c->OH + chunk.oh) * c->OW * c->F;
    const real *dz = job->dy + at;
    real *copy = memory + (c->framed ? kern_frame_size(c) : 0);
    if (copies_dz(c)) {
        kern_act_back(c->act, copy, dz, job->y + at, n * c->F);
        memset(copy + n * c->F, 0, TILE_WIDTH * sizeof(real));
        dz = copy;
    }
    if (job->dbias)
        add_rows(bias_sum, dz, n, c->F);
    if (job->out) {
        Field field = kern_field(c, &chunk, job->x, KERN_ACT_LINEAR, NULL, memory);
        chunk_sums(c, &chunk, sum, &field, dz);
    }
}

static void kernel_tile(void *ctx, size_t tile, int worker)
{
    const Job *job = ctx;
    const Conv *c = job->conv;
    size_t chunk = pool_first((size_t)c->chunks, (size_t)c->parts, tile),
           end = pool_first((size_t)c->chunks, (size_t)c->parts, tile + 1);
    real *sum = job->sums + (int64_t)tile * sum_size(c);
    memset(sum, 0, (size_t)((c->K + 1) * c->F) * sizeof(real));
    for (; chunk < end; chunk++)
        kernel_chunk(job, (int64_t)chunk, sum, sum + c->K * c->F, job->scratch + worker * kernel_worker_size(c));
}

/* n elements of the sums of all parts, from `offset` on, in order. */
static void add_sums(const Job *job, real *to, bool add, int64_t offset, int64_t n)
{
    const Conv *c = job->conv;
    const real *sum = job->sums + offset;
    for (int64_t part = 0; part < c->parts; part++, sum += sum_size(c)) {
        if (part > 0 || add)
            add_line(to, sum, n);
        else
            memcpy(to, sum, (size_t)n * sizeof(real));
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
    Job job = {
        .conv = c, .act = c->act, .out = dkernel, .add = add, .dbias = dbias, .x = x, .dy = dy, .y = y, .scratch = scratch
    };
    job.sums = job.scratch + pool_threads() * kernel_worker_size(c);
    pool_run((size_t)c->parts, kernel_tile, &job);
    if (dkernel)
        pool_run((size_t)((c->K * c->F + SUM_BLOCK - 1) / SUM_BLOCK), sum_tile, &job);
    if (dbias)
        add_sums(&job, dbias, add_bias, c->K * c->F, c->F);
}
