// SPDX-License-Identifier: MIT
/* Images in cells. With colours a cell is two square pixels (half blocks); a cell whose halves agree is a blank, which costs
 * a terminal least. Without colours, or in ASCII, a pixel is two cells wide and one high where there is room, and a shade;
 * where there is none, two rows share a cell by their greater value. Nothing is ever stretched or smoothed: pixels grow by
 * whole multiples, and an image that is too large shows the greatest value of each block of pixels. */
#include <math.h>

#include "ui/panels.h"

static bool has_colour(const Theme *theme)
{
    return theme->depth != DEPTH_NONE;
}

bool tile_fit(const Canvas *canvas, const Theme *theme, int h, int w, int most_w, int most_h, int scale, Tile *tile)
{
    if (h < 1 || w < 1 || most_w < 1 || most_h < 1)
        return false;
    bool half = has_colour(theme) && !canvas->ascii;
    for (int shrink = 1; shrink <= (h > w ? h : w); shrink++) {
        int ph = (h + shrink - 1) / shrink * scale, pw = (w + shrink - 1) / shrink * scale;
        *tile = (Tile){ .w = half ? pw : 2 * pw, .h = half ? (ph + 1) / 2 : ph, .scale = scale, .shrink = shrink, .half = half };
        if (tile->w <= most_w && tile->h <= most_h)
            return true;
        if (scale > 1) /* enlarged pixels only where all are drawn */
            return false;
        *tile = (Tile){ .w = pw, .h = (ph + 1) / 2, .scale = 1, .shrink = shrink, .pairs = true };
        if (!half && tile->w <= most_w && tile->h <= most_h)
            return true;
    }
    return false;
}

/* Greatest value of a block of pixels; of colours the mean of the block's first pixel counts. NaN is nothing. */
static float block_most(const float *pixels, int h, int w, int channels, int y, int x, int shrink, int rows)
{
    float most = 0;
    for (int i = y; i < y + shrink * rows && i < h; i++)
        for (int j = x; j < x + shrink && j < w; j++) {
            const float *p = pixels + ((size_t)i * (size_t)w + (size_t)j) * (size_t)channels;
            float v = channels == 3 ? 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2] : p[0];
            most = v > most ? v : most;
        }
    return most;
}

static uint32_t byte_of(float v)
{
    return v > 0 ? (v < 1 ? (uint32_t)(v * 255 + 0.5f) : 255) : 0;
}

/* Colour of pixel (row, column) in shrunken coordinates; the blank colour below the image's last row. */
static Ink pixel_ink(const Theme *theme, const Tile *tile, Ramp ramp, const float *pixels, int h, int w, int channels, int row, int column)
{
    int y = row * tile->shrink, x = column * tile->shrink;
    if (y >= h)
        return theme->base.bg;
    if (channels == 3 && theme->depth >= DEPTH_256) {
        const float *p = pixels + ((size_t)y * (size_t)w + (size_t)x) * 3;
        return theme_rgb(theme, byte_of(p[0]) << 16 | byte_of(p[1]) << 8 | byte_of(p[2]));
    }
    return theme->ramps[ramp][theme_step((double)block_most(pixels, h, w, channels, y, x, tile->shrink, 1))];
}

static void draw_half(Canvas *canvas, const Theme *theme, int x, int y, const Tile *tile, Ramp ramp, const float *pixels, int h, int w, int channels)
{
    for (int i = 0; i < tile->h; i++)
        for (int j = 0; j < tile->w; j++) {
            Ink top = pixel_ink(theme, tile, ramp, pixels, h, w, channels, 2 * i / tile->scale, j / tile->scale);
            Ink bottom = pixel_ink(theme, tile, ramp, pixels, h, w, channels, (2 * i + 1) / tile->scale, j / tile->scale);
            canvas_put(canvas, x + j, y + i, (Style){ top, bottom, 0 }, top == bottom ? ' ' : 0x2580);
        }
}

/* Nothing is a dim dot, so that the picture's edges can be seen. */
static void put_shade(Canvas *canvas, const Theme *theme, int x, int y, double v)
{
    uint32_t shade = theme_shade(v, canvas->ascii);
    bool nothing = shade == ' ' && !canvas->ascii;
    canvas_put(canvas, x, y, nothing ? theme->roles[ROLE_LABEL] : theme->base, nothing ? 0xB7 : shade);
}

/* One pixel: a coloured blank, or a shade where there are no colours. */
static void draw_shades(Canvas *canvas, const Theme *theme, int x, int y, const Tile *tile, Ramp ramp, const float *pixels, int h, int w, int channels)
{
    int rows = tile->pairs ? 2 : 1, columns = tile->pairs ? 1 : 2;
    for (int i = 0; i < tile->h; i++)
        for (int j = 0; j < tile->w; j++) {
            int py = i / tile->scale * rows * tile->shrink, px = j / columns / tile->scale * tile->shrink;
            double v = (double)block_most(pixels, h, w, channels, py, px, tile->shrink, rows);
            if (has_colour(theme))
                canvas_put(canvas, x + j, y + i, dash_on(theme->base, theme->ramps[ramp][theme_step(v)]), ' ');
            else
                put_shade(canvas, theme, x + j, y + i, v);
        }
}

void tile_draw(Canvas *canvas, const Theme *theme, int x, int y, const Tile *tile, Ramp ramp, const float *pixels, int h, int w, int channels)
{
    if (tile->half)
        draw_half(canvas, theme, x, y, tile, ramp, pixels, h, w, channels);
    else
        draw_shades(canvas, theme, x, y, tile, ramp, pixels, h, w, channels);
}
