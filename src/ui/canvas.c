// SPDX-License-Identifier: MIT
/* Cells hold whole characters, so the one rule to keep is that a wide character's two cells live and die together: whoever
 * writes on one half blanks the other, even outside the clip. */
#include "ui/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ui/glyph.h"
#include "ui/utf8.h"

void canvas_init(Canvas *canvas)
{
    *canvas = (Canvas){ 0 };
}

void canvas_fini(Canvas *canvas)
{
    mem_free(canvas->cells);
    *canvas = (Canvas){ 0 };
}

static void set_blank(Cell *cell, Style style)
{
    *cell = (Cell){ .text = " ", .width = 1, .style = style };
}

bool canvas_resize(Canvas *canvas, int w, int h, Style style, Err *err)
{
    w = w < 0 ? 0 : w;
    h = h < 0 ? 0 : h;
    size_t n = (size_t)w * (size_t)h;
    if (!canvas->cells || w != canvas->w || h != canvas->h) {
        Cell *cells = mem_alloc(n, sizeof *cells, err);
        if (!cells)
            return err_wrap(err, "a screen of %d x %d cells", w, h);
        mem_free(canvas->cells);
        canvas->cells = cells;
        canvas->w = w;
        canvas->h = h;
    }
    canvas_clip(canvas, (Rect){ 0, 0, -1, -1 });
    for (size_t i = 0; i < n; i++)
        set_blank(&canvas->cells[i], style);
    return true;
}

void canvas_clip(Canvas *canvas, Rect clip)
{
    if (clip.w < 0 || clip.h < 0)
        clip = (Rect){ 0, 0, canvas->w, canvas->h };
    int x1 = clip.x + clip.w, y1 = clip.y + clip.h;
    clip.x = clip.x < 0 ? 0 : clip.x;
    clip.y = clip.y < 0 ? 0 : clip.y;
    x1 = x1 > canvas->w ? canvas->w : x1;
    y1 = y1 > canvas->h ? canvas->h : y1;
    canvas->clip = (Rect){ clip.x, clip.y, x1 > clip.x ? x1 - clip.x : 0, y1 > clip.y ? y1 - clip.y : 0 };
}

/* Subtractions, because a far away clip must not overflow. */
static bool is_inside(const Canvas *canvas, int x, int y)
{
    const Rect *c = &canvas->clip;
    return x >= c->x && x - c->x < c->w && y >= c->y && y - c->y < c->h;
}

static Cell *cell_at(Canvas *canvas, int x, int y)
{
    return &canvas->cells[(size_t)y * (size_t)canvas->w + (size_t)x];
}

/* Blank the other half of whatever stands at a cell that is about to be written. */
static void part_halves(Canvas *canvas, int x, int y)
{
    Cell *cell = cell_at(canvas, x, y);
    if (cell->width == 0 && x > 0)
        set_blank(cell - 1, cell[-1].style);
    if (cell->width == 2 && x + 1 < canvas->w)
        set_blank(cell + 1, cell[1].style);
}

/* The one place that writes characters. */
static void set_cell(Canvas *canvas, int x, int y, Style style, uint32_t code, int width)
{
    bool left = is_inside(canvas, x, y), right = width == 2 && is_inside(canvas, x + 1, y);
    if (width == 2 && left != right) { /* half a character cannot be shown */
        set_cell(canvas, left ? x : x + 1, y, style, ' ', 1);
        return;
    }
    if (!left)
        return;
    part_halves(canvas, x, y);
    Cell *cell = cell_at(canvas, x, y);
    cell->text[utf8_encode(code, cell->text)] = '\0';
    cell->width = (uint8_t)width;
    cell->style = style;
    if (width == 2) {
        part_halves(canvas, x + 1, y);
        cell[1] = (Cell){ .text = "", .width = 0, .style = style };
    }
}

void canvas_fill(Canvas *canvas, Rect area, Style style)
{
    const Rect *c = &canvas->clip;
    int x0 = area.x > c->x ? area.x : c->x, x1 = area.x + area.w < c->x + c->w ? area.x + area.w : c->x + c->w;
    int y0 = area.y > c->y ? area.y : c->y, y1 = area.y + area.h < c->y + c->h ? area.y + area.h : c->y + c->h;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            if (x == x0 || x == x1 - 1)
                part_halves(canvas, x, y);
            set_blank(cell_at(canvas, x, y), style);
        }
}

uint32_t canvas_glyph(const Canvas *canvas, uint32_t glyph)
{
    glyph = glyph_visible(glyph);
    return canvas->ascii && glyph >= 0x7F ? (uint32_t)(unsigned char)glyph_ascii(glyph) : glyph;
}

/* A wide character on an ASCII canvas is one stand-in per column. */
static void draw_character(Canvas *canvas, int x, int y, Style style, uint32_t code, int width)
{
    uint32_t glyph = canvas_glyph(canvas, code);
    if (width == 2 && canvas->ascii) {
        set_cell(canvas, x, y, style, glyph, 1);
        set_cell(canvas, x + 1, y, style, glyph, 1);
    } else {
        set_cell(canvas, x, y, style, glyph, width);
    }
}

void canvas_put(Canvas *canvas, int x, int y, Style style, uint32_t glyph)
{
    int width = glyph_width(glyph);
    draw_character(canvas, x, y, style, width ? glyph : 0xFFFD, width ? width : 1);
}

/* The bits that a cell has already are read back from its UTF-8: E2 A0 80 is the empty pattern. */
void canvas_dots(Canvas *canvas, int x, int y, Style style, unsigned bits)
{
    if (!is_inside(canvas, x, y))
        return;
    const unsigned char *s = (const unsigned char *)cell_at(canvas, x, y)->text;
    if (s[0] == 0xE2 && s[1] >= 0xA0 && s[1] <= 0xA3)
        bits |= (s[1] & 3u) << 6 | (s[2] & 0x3Fu);
    set_cell(canvas, x, y, style, 0x2800 + (bits & 0xFF), 1);
}

/* Add a combining mark to the character left of x; it is dropped when there is no room. */
static void add_mark(Canvas *canvas, int x, int y, uint32_t code)
{
    if (!is_inside(canvas, x - 1, y) || canvas->ascii)
        return;
    Cell *cell = cell_at(canvas, x - 1, y);
    if (cell->width == 0 && x >= 2)
        cell--;
    char mark[4];
    size_t n = (size_t)utf8_encode(code, mark), have = strlen(cell->text);
    if (have + n >= CELL_BYTES)
        return;
    memcpy(cell->text + have, mark, n);
    cell->text[have + n] = '\0';
}

size_t canvas_next(const char *text, uint32_t *code, int *width)
{
    size_t n = glyph_decode(text, code);
    *width = n ? glyph_width(*code) : 0;
    return n;
}

int canvas_text(Canvas *canvas, int x, int y, int width, Style style, const char *text)
{
    if (width < 0)
        width = canvas->clip.x + canvas->clip.w - x;
    int used = 0, columns;
    uint32_t code;
    for (size_t n; (n = canvas_next(text, &code, &columns)) > 0; text += n) {
        if (columns == 0 && glyph_dropped(code))
            continue;
        if (columns == 0 && used > 0) {
            add_mark(canvas, x + used, y, code);
            continue;
        }
        if (columns == 0) { /* a mark with nothing to stand on */
            code = 0x25CC;
            columns = 1;
        }
        if (used + columns > width)
            break;
        draw_character(canvas, x + used, y, style, code, columns);
        used += columns;
    }
    return used;
}

int canvas_textf(Canvas *canvas, int x, int y, int width, Style style, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return n < 0 ? 0 : canvas_text(canvas, x, y, width, style, text);
}

int canvas_text_cut(Canvas *canvas, int x, int y, int width, Style style, const char *text)
{
    if (width < 0)
        width = canvas->clip.x + canvas->clip.w - x;
    if (width <= 0)
        return 0;
    if (canvas_width(text) <= width)
        return canvas_text(canvas, x, y, width, style, text);
    int used = canvas_text(canvas, x, y, width - 1, style, text);
    canvas_put(canvas, x + used, y, style, 0x2026);
    return used + 1;
}

void canvas_text_right(Canvas *canvas, int x, int y, int width, Style style, const char *text)
{
    int columns = canvas_width(text);
    if (columns >= width)
        canvas_text(canvas, x, y, width < 0 ? 0 : width, style, text);
    else
        canvas_text(canvas, x + width - columns, y, columns, style, text);
}

int canvas_width(const char *text)
{
    int sum = 0, width;
    uint32_t code;
    for (size_t n; (n = canvas_next(text, &code, &width)) > 0; text += n)
        sum += width > 0 ? width : sum == 0 && !glyph_dropped(code);
    return sum;
}

static void draw_sides(Canvas *canvas, Rect a, Style style)
{
    for (int x = a.x + 1; x < a.x + a.w - 1; x++) {
        canvas_put(canvas, x, a.y, style, 0x2500);
        canvas_put(canvas, x, a.y + a.h - 1, style, 0x2500);
    }
    for (int y = a.y + 1; y < a.y + a.h - 1; y++) {
        canvas_put(canvas, a.x, y, style, 0x2502);
        canvas_put(canvas, a.x + a.w - 1, y, style, 0x2502);
    }
    canvas_put(canvas, a.x, a.y, style, 0x256D);
    canvas_put(canvas, a.x + a.w - 1, a.y, style, 0x256E);
    canvas_put(canvas, a.x, a.y + a.h - 1, style, 0x2570);
    canvas_put(canvas, a.x + a.w - 1, a.y + a.h - 1, style, 0x256F);
}

void canvas_frame(Canvas *canvas, Rect area, Style border, Style title_style, const char *title, Style state_style, const char *state)
{
    if (area.w < 2 || area.h < 2)
        return;
    draw_sides(canvas, area, border);
    int left = area.x + 2, room = area.w - 4; /* a corner and one dash at both ends */
    if (title && *title && room >= 4) {
        int used = canvas_text_cut(canvas, left + 1, area.y, room - 2, title_style, title);
        canvas_put(canvas, left, area.y, border, ' ');
        canvas_put(canvas, left + 1 + used, area.y, border, ' ');
        left += used + 3; /* one dash stays between title and state */
        room -= used + 3;
    }
    int least = 6, columns = state ? canvas_width(state) : 0; /* less than this says nothing */
    if (columns == 0 || room < 2 + (columns < least ? columns : least))
        return;
    columns = columns > room - 2 ? room - 2 : columns;
    int x = area.x + area.w - 3 - columns;
    canvas_put(canvas, x - 1, area.y, border, ' ');
    canvas_text_cut(canvas, x, area.y, columns, state_style, state);
    canvas_put(canvas, x + columns, area.y, border, ' ');
}

/* ---- as text ---- */

/* Trailing blanks are cut, so that stored screens survive editors. */
static void dump_text(const Canvas *canvas, Buf *out)
{
    for (int y = 0; y < canvas->h; y++) {
        size_t end = out->size;
        for (int x = 0; x < canvas->w; x++) {
            const Cell *cell = &canvas->cells[(size_t)y * (size_t)canvas->w + (size_t)x];
            buf_puts(out, cell->text);
            if (strcmp(cell->text, " ") != 0)
                end = out->size;
        }
        if (!out->failed)
            out->size = end;
        buf_put(out, '\n');
    }
}

#define MOST_STYLES 62
static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static bool same_style(const Style *a, const Style *b)
{
    return a->fg == b->fg && a->bg == b->bg && a->attrs == b->attrs;
}

static void dump_ink(Buf *out, const char *which, Ink ink)
{
    if (ink == INK_DEFAULT)
        buf_printf(out, " %s default", which);
    else if (ink & INK_RGB)
        buf_printf(out, " %s #%06x", which, (unsigned)ink & 0xFFFFFF);
    else
        buf_printf(out, " %s %d", which, (int)ink);
}

void canvas_dump(const Canvas *canvas, bool styles, Buf *out)
{
    dump_text(canvas, out);
    if (!styles)
        return;
    Style seen[MOST_STYLES];
    int n = 0;
    buf_puts(out, "--\n");
    for (int y = 0; y < canvas->h; y++) {
        for (int x = 0; x < canvas->w; x++) {
            const Style *style = &canvas->cells[(size_t)y * (size_t)canvas->w + (size_t)x].style;
            int i = 0;
            while (i < n && !same_style(&seen[i], style))
                i++;
            if (i == n && n < MOST_STYLES)
                seen[n++] = *style;
            buf_put(out, i < n ? letters[i] : '?');
        }
        buf_put(out, '\n');
    }
    buf_puts(out, "--\n");
    for (int i = 0; i < n; i++) {
        buf_put(out, letters[i]);
        dump_ink(out, "fg", seen[i].fg);
        dump_ink(out, "bg", seen[i].bg);
        static const char *const names[] = { " bold", " dim", " reverse", " underline" };
        for (int bit = 0; bit < 4; bit++)
            if (seen[i].attrs >> bit & 1)
                buf_puts(out, names[bit]);
        buf_put(out, '\n');
    }
}
