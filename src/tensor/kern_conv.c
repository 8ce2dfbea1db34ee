// SPDX-License-Identifier: MIT
/* How the work is cut, and forward: tiles are chunks of the output, and bias and activation are applied while a chunk is in the
 * cache. Chunks depend on the sizes alone, and each element of y is one sum in a fixed order: the same bits for any number of
 * threads. */
#include "tensor/kern_conv.h"

#include "base/pool.h"
#include "tensor/kern_frame.h"

#define CONV_CACHE 20480          /* elements of a chunk's input and output lines: its share of a second-level cache */
#define CONV_CHUNK 2.0e5          /* multiply-adds that pay for the start of a tile */
#define CONV_PART 6.0e6           /* multiply-adds that pay for a separate sum of the kernel's gradient */
#define CONV_PARTS_SIZE (1 << 23) /* elements of all these sums */

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

/* A 1x1 window with strides of 1 does not see lines: an image is one line. */
static void join_lines(Conv *c)
{
    if (c->KH != 1 || c->KW != 1 || c->stride_h != 1 || c->stride_w != 1 || c->pad_top || c->pad_left)
        return;
    c->W = c->OW = c->OH * c->OW;
    c->H = c->OH = 1;
}

static void choose_chunks(Conv *c)
{
    double work = (double)c->OW * (double)c->K * (double)c->F;
    int64_t all = c->B * c->OH, cached = CONV_CACHE / most(c->stride_h * c->W * c->C + c->OW * c->F, 1), share = ceil_div(all, 16);
    int64_t enough = work > 0 && CONV_CHUNK / work < (double)all ? (int64_t)(CONV_CHUNK / work) + 1 : all;
    int64_t lines = most(least(cached, most(enough, share)), 1);
    c->images = c->OH > 0 && lines >= 2 * c->OH ? least(lines / c->OH, most(c->B, 1)) : 1;
    c->lines = lines >= c->OH ? most(c->OH, 1) : ceil_div(c->OH, ceil_div(c->OH, lines));
    c->chunks_image = ceil_div(c->OH, c->lines);
    c->chunks = c->images > 1 ? ceil_div(c->B, c->images) : c->B * c->chunks_image;
}

/* 1, 2, 4, 8 or 16 parts, as long as their sums take little time and memory. */
static void choose_parts(Conv *c)
{
    double work = (double)c->P * (double)c->K * (double)c->F;
    c->parts = 1;
    while (c->parts < 16 && 2 * c->parts <= c->chunks && work / (double)(2 * c->parts) > CONV_PART &&
           2 * c->parts * c->K * c->F <= CONV_PARTS_SIZE)
        c->parts *= 2;
}

void kern_conv_plan(Conv *c)
{
    join_lines(c);
    c->P = c->B * c->OH * c->OW;
    c->Cg = c->C / c->groups;
    c->Fg = c->F / c->groups;
    c->K = c->KH * c->KW * c->Cg;
    c->reach_h = (c->KH - 1) * c->dilation_h + 1;
    c->reach_w = (c->KW - 1) * c->dilation_w + 1;
    c->framed = c->pad_top > 0 || c->pad_left > 0 || (c->OH - 1) * c->stride_h + c->reach_h > c->H ||
                (c->OW - 1) * c->stride_w + c->reach_w > c->W;
    c->panels = c->groups * ceil_div(c->Fg, TILE_WIDTH);
    choose_chunks(c);
    choose_parts(c);
}

/* ---- forward ---- */

/* Worth it where the kernel is used often, needed where a panel is not full. */
static bool packs(const Conv *c)
{
    return c->P >= 512 || c->Fg % TILE_WIDTH != 0;
}

size_t kern_conv_forward_scratch(const Conv *c)
{
    size_t frames = c->framed ? (size_t)pool_threads() * kern_frame_size(c) : 0;
    return (frames + (packs(c) ? kern_panels_size(c) : 0)) * sizeof(real);
}

typedef struct Forward {
    const Conv *conv;
    real *y, *frames;
    const real *x, *kernel, *panels, *bias;
} Forward;

static void forward_tile(void *ctx, size_t tile, int worker)
{
    const Forward *job = ctx;
    const Conv *c = job->conv;
    Chunk chunk = kern_chunk(c, (int64_t)tile);
    real *frame = c->framed ? job->frames + (size_t)worker * kern_frame_size(c) : NULL;
    Field field = kern_field(c, &chunk, job->x, KERN_ACT_LINEAR, NULL, frame);
    kern_chunk_products(c, &chunk, job->y, false, &field, job->kernel, job->panels);
    kern_act_rows(c->act, job->y + (chunk.b * c->OH + chunk.oh) * c->OW * c->F, job->bias, chunk.n_images * chunk.n_lines * c->OW,
                  c->F);
}

void kern_conv_forward(const Conv *c, real *y, const real *x, const real *kernel, const real *bias, void *scratch)
{
    Forward job = { .conv = c, .y = y, .x = x, .kernel = kernel, .bias = bias, .frames = scratch };
    if (packs(c)) {
        real *panels = job.frames + (c->framed ? (size_t)pool_threads() * kern_frame_size(c) : 0);
        kern_panels(c, panels, kernel, false);
        job.panels = panels;
    }
    pool_run((size_t)c->chunks, forward_tile, &job);
}
