// SPDX-License-Identifier: MIT
#include "tensor/kern_frame.h"

#include <string.h>

#include "base/pool.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

Chunk kern_chunk(const Conv *c, int64_t i)
{
    if (c->images > 1)
        return (Chunk){ i * c->images, least(c->images, c->B - i * c->images), 0, c->OH };
    int64_t oh = i % c->chunks_image * c->lines;
    return (Chunk){ i / c->chunks_image, 1, oh, least(c->lines, c->OH - oh) };
}

/* ---- input lines ---- */

static int64_t frame_lines(const Conv *c, int64_t n_lines)
{
    return (n_lines - 1) * c->stride_h + c->reach_h;
}

static int64_t frame_width(const Conv *c)
{
    return (c->OW - 1) * c->stride_w + c->reach_w;
}

size_t kern_frame_size(const Conv *c)
{
    return (size_t)(c->images * frame_lines(c, c->lines) * frame_width(c) * c->C + TILE_WIDTH);
}

/* One input line of n elements, with zeros around, width elements in all. */
static void frame_line(real *to, const real *x, KernAct act, const real *y, int64_t before, int64_t n, int64_t width)
{
    memset(to, 0, (size_t)before * sizeof(real));
    kern_act_back(act, to + before, x, y, n);
    memset(to + before + n, 0, (size_t)(width - before - n) * sizeof(real));
}

Field kern_field(const Conv *c, const Chunk *chunk, const real *x, KernAct act, const real *y, real *frame)
{
    int64_t line = c->W * c->C, image = c->H * line, ih = chunk->oh * c->stride_h - c->pad_top;
    if (!c->framed && act == KERN_ACT_LINEAR)
        return (Field){ x + chunk->b * image + ih * line, image, line };
    int64_t lines = frame_lines(c, chunk->n_lines), width = frame_width(c) * c->C, before = least(c->pad_left * c->C, width);
    int64_t n = most(least(line, width - before), 0);
    real *to = frame;
    for (int64_t b = chunk->b; b < chunk->b + chunk->n_images; b++)
        for (int64_t h = ih; h < ih + lines; h++, to += width) {
            int64_t at = b * image + h * line;
            if (h < 0 || h >= c->H)
                memset(to, 0, (size_t)width * sizeof(real));
            else
                frame_line(to, x + at, act, y ? y + at : NULL, before, n, width);
        }
    return (Field){ frame, lines * width, width };
}

/* ---- the kernel ---- */

static int64_t group_panels(const Conv *c)
{
    return (c->Fg + TILE_WIDTH - 1) / TILE_WIDTH;
}

size_t kern_panels_size(const Conv *c)
{
    return (size_t)(c->panels * c->K * TILE_WIDTH);
}

typedef struct Pack {
    const Conv *conv;
    real *panels;
    const real *kernel;
    bool reversed;
} Pack;

/* One panel; element (tap, j, f) is output channel f of the group, input channel j of the group. */
static void pack_tile(void *ctx, size_t tile, int worker)
{
    const Pack *p = ctx;
    const Conv *c = p->conv;
    int64_t g = (int64_t)tile / group_panels(c), f0 = (int64_t)tile % group_panels(c) * TILE_WIDTH,
            width = least(c->Fg - f0, TILE_WIDTH);
    int64_t taps = c->KH * c->KW;
    real *to = p->panels + (int64_t)tile * c->K * TILE_WIDTH;
    (void)worker;
    if (width < TILE_WIDTH)
        memset(to, 0, (size_t)(c->K * TILE_WIDTH) * sizeof(real));
    for (int64_t tap = 0; tap < taps; tap++) {
        if (!p->reversed) {
            const real *from = p->kernel + tap * c->Cg * c->F + g * c->Fg + f0;
            for (int64_t j = 0; j < c->Cg; j++, to += TILE_WIDTH)
                memcpy(to, from + j * c->F, (size_t)width * sizeof(real));
            continue;
        }
        /* the original's rows are our output channels, its columns our input channels */
        const real *from = p->kernel + ((taps - 1 - tap) * c->Fg + f0) * c->C + g * c->Cg;
        for (int64_t j = 0; j < c->Cg; j++, to += TILE_WIDTH)
            for (int64_t f = 0; f < width; f++)
                to[f] = from[f * c->C + j];
    }
}

void kern_panels(const Conv *c, real *panels, const real *kernel, bool reversed)
{
    Pack pack = { c, panels, kernel, reversed };
    if (kern_panels_size(c) < 32768)
        for (int64_t panel = 0; panel < c->panels; panel++)
            pack_tile(&pack, (size_t)panel, 0);
    else
        pool_run((size_t)c->panels, pack_tile, &pack);
}

/* ---- products ---- */

/* The lines of taps u = first … end-1 whose input line is part of the image: the others would only add zeros. */
static void taps_inside(const Conv *c, int64_t oh, int64_t *first, int64_t *end)
{
    int64_t ih = oh * c->stride_h - c->pad_top, d = c->dilation_h;
    *first = ih < 0 ? least((-ih + d - 1) / d, c->KH) : 0;
    *end = ih < c->H ? least((c->H - ih + d - 1) / d, c->KH) : 0;
    *end = most(*first, *end);
}

void kern_chunk_products(const Conv *c, const Chunk *chunk, real *y, bool add, const Field *field, const real *kernel,
                         const real *panels)
{
    bool piece = c->dilation_w == 1 && c->groups == 1; /* the taps of a line lie side by side */
    TileLine t = { .n = c->OW, .step = c->stride_w * c->C, .line = c->dilation_h * field->line, .ldy = c->F, .add = add };
    t.n_taps = piece ? 1 : c->KW, t.tap = c->dilation_w * c->C, t.run = piece ? c->KW * c->C : c->Cg;
    t.ldb = panels ? TILE_WIDTH : c->F;
    const TileKernels *kernels = kern_tile(KERN_TILE_BEST);
    for (int64_t panel = 0; panel < c->panels; panel++) {
        int64_t g = panel / group_panels(c), f0 = panel % group_panels(c) * TILE_WIDTH, f = g * c->Fg + f0;
        const real *b = panels ? panels + panel * c->K * TILE_WIDTH : kernel + f;
        t.width = least(c->Fg - f0, TILE_WIDTH);
        real *to = y + (chunk->b * c->OH + chunk->oh) * c->OW * c->F + f;
        for (int64_t row = 0; row < chunk->n_images * chunk->n_lines; row++, to += c->OW * c->F) {
            const real *a = field->data + row / chunk->n_lines * field->image + row % chunk->n_lines * c->stride_h * field->line;
            int64_t u, end;
            taps_inside(c, chunk->oh + row % chunk->n_lines, &u, &end);
            t.n_lines = end - u;
            kernels->line(&t, to, a + u * t.line + g * c->Cg, b + u * c->KW * c->Cg * t.ldb);
        }
    }
}
