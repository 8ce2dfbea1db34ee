// SPDX-License-Identifier: MIT
/* A patch row holds its KH lines one after another, each KW pixels of Cg channels. Where a line lies inside the image and
 * neither dilation nor groups spread it, it is one piece of memory; other lines are taken pixel by pixel. */
#include <string.h>

#include "tensor/kern_conv.h"

typedef struct Pixel {
    int64_t b, oh, ow;
} Pixel;

static Pixel pixel_at(const Conv *c, int64_t p)
{
    return (Pixel){ p / c->OW / c->OH, p / c->OW % c->OH, p % c->OW };
}

static void next_pixel(const Conv *c, Pixel *at)
{
    if (++at->ow < c->OW)
        return;
    at->ow = 0;
    if (++at->oh < c->OH)
        return;
    at->oh = 0;
    at->b++;
}

/* A few numbers, without the call that memcpy of an unknown size is. */
KERN_INLINE void copy_line(real *restrict to, const real *restrict from, int64_t n)
{
    if (n > 128) {
        memcpy(to, from, (size_t)n * sizeof(real));
        return;
    }
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        memcpy(to + i, from + i, 8 * sizeof(real));
    if (i + 4 <= n) {
        memcpy(to + i, from + i, 4 * sizeof(real));
        i += 4;
    }
    for (; i < n; i++)
        to[i] = from[i];
}

KERN_INLINE void add_line(real *restrict to, const real *restrict from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += from[i];
}

/* Where pixel iw0 + kw dilation of an input line is inside 0 … W-1: kw from first to end-1. */
static void inside(const Conv *c, int64_t iw0, int64_t *first, int64_t *end)
{
    int64_t d = c->dilation_w;
    *first = iw0 >= 0 ? 0 : (-iw0 + d - 1) / d;
    *end = iw0 >= c->W ? 0 : (c->W - iw0 + d - 1) / d;
    *end = *end < c->KW ? *end : c->KW;
    *first = *first < *end ? *first : *end;
}

KERN_CLONES void kern_cols_gather(const Conv *conv, real *cols, const real *x, int64_t p, int64_t n, int64_t group)
{
    const Conv c = *conv;
    Pixel at = pixel_at(&c, p);
    bool piece = c.dilation_w == 1 && c.groups == 1;
    for (int64_t i = 0; i < n; i++, next_pixel(&c, &at)) {
        int64_t ih = at.oh * c.stride_h - c.pad_top, iw0 = at.ow * c.stride_w - c.pad_left, first, end;
        inside(&c, iw0, &first, &end);
        for (int64_t kh = 0; kh < c.KH; kh++, ih += c.dilation_h, cols += c.KW * c.Cg) {
            if (ih < 0 || ih >= c.H) {
                memset(cols, 0, (size_t)(c.KW * c.Cg) * sizeof(real));
                continue;
            }
            const real *from = x + ((at.b * c.H + ih) * c.W + iw0) * c.C + group * c.Cg;
            if (first > 0)
                memset(cols, 0, (size_t)(first * c.Cg) * sizeof(real));
            if (piece)
                copy_line(cols + first * c.Cg, from + first * c.Cg, (end - first) * c.Cg);
            else
                for (int64_t kw = first; kw < end; kw++)
                    copy_line(cols + kw * c.Cg, from + kw * c.dilation_w * c.C, c.Cg);
            if (end < c.KW)
                memset(cols + end * c.Cg, 0, (size_t)((c.KW - end) * c.Cg) * sizeof(real));
        }
    }
}

KERN_CLONES void kern_cols_scatter(const Conv *conv, real *dx, const real *cols, int64_t p, int64_t n, int64_t group, int64_t h_first,
                                   int64_t h_end)
{
    const Conv c = *conv;
    Pixel at = pixel_at(&c, p);
    bool piece = c.dilation_w == 1 && c.groups == 1;
    for (int64_t i = 0; i < n; i++, next_pixel(&c, &at)) {
        int64_t ih = at.oh * c.stride_h - c.pad_top, iw0 = at.ow * c.stride_w - c.pad_left, first, end;
        inside(&c, iw0, &first, &end);
        for (int64_t kh = 0; kh < c.KH; kh++, ih += c.dilation_h, cols += c.KW * c.Cg) {
            if (ih < h_first || ih >= h_end)
                continue;
            real *to = dx + ((at.b * c.H + ih) * c.W + iw0) * c.C + group * c.Cg;
            if (piece)
                add_line(to + first * c.Cg, cols + first * c.Cg, (end - first) * c.Cg);
            else
                for (int64_t kw = first; kw < end; kw++)
                    add_line(to + kw * c.dilation_w * c.C, cols + kw * c.Cg, c.Cg);
        }
    }
}
