// SPDX-License-Identifier: MIT
#include "vt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/utf8.h"

static const Style plain = { INK_DEFAULT, INK_DEFAULT, 0 };

void vt_init(Vt *vt, int w, int h)
{
    *vt = (Vt){ .style = plain, .cursor = true };
    canvas_init(&vt->cells);
    if (!canvas_resize(&vt->cells, w, h, plain, NULL))
        abort();
}

void vt_fini(Vt *vt)
{
    canvas_fini(&vt->cells);
}

static Cell *at(Vt *vt, int x, int y)
{
    return &vt->cells.cells[y * vt->cells.w + x];
}

static void blank_out(Vt *vt, int x, int y, int n)
{
    for (; n > 0 && x < vt->cells.w; n--, x++)
        *at(vt, x, y) = (Cell){ .text = " ", .width = 1, .style = { vt->style.fg, vt->style.bg, 0 } };
}

static int colour(const int *p, int n, int *i)
{
    if (*i + 2 < n && p[*i + 1] == 5) {
        *i += 2;
        return p[*i];
    }
    if (*i + 4 < n && p[*i + 1] == 2) {
        *i += 4;
        return INK_RGB | p[*i - 2] << 16 | p[*i - 1] << 8 | p[*i];
    }
    return INK_DEFAULT;
}

static void sgr(Vt *vt, const int *p, int n)
{
    Style *s = &vt->style;
    for (int i = 0; i < n; i++) {
        int v = p[i];
        if (v == 0)
            *s = plain;
        else if (v == 1)
            s->attrs |= ATTR_BOLD;
        else if (v == 2)
            s->attrs |= ATTR_DIM;
        else if (v == 4)
            s->attrs |= ATTR_UNDERLINE;
        else if (v == 7)
            s->attrs |= ATTR_REVERSE;
        else if (v == 38)
            s->fg = colour(p, n, &i);
        else if (v == 48)
            s->bg = colour(p, n, &i);
        else if (v == 39)
            s->fg = INK_DEFAULT;
        else if (v == 49)
            s->bg = INK_DEFAULT;
        else if (v >= 30 && v < 38)
            s->fg = v - 30;
        else if (v >= 40 && v < 48)
            s->bg = v - 40;
        else if (v >= 90 && v < 98)
            s->fg = v - 82;
        else if (v >= 100 && v < 108)
            s->bg = v - 92;
        else
            vt->unknown++;
    }
}

static void mode(Vt *vt, int number, bool on)
{
    if (number == 25)
        vt->cursor = on;
    else if (number == 1049)
        vt->second = on;
    else if (number == 2004)
        vt->paste = on;
    else if (number == 2026)
        vt->sync = on;
    else if (number != 12)
        vt->unknown++;
}

/* A whole "ESC [ … final". */
static void csi(Vt *vt)
{
    char final = vt->part[vt->n_part - 1];
    const char *s = vt->part + 2;
    bool private = *s == '?';
    int p[16] = { 0 }, n = 0;
    s += private;
    while (n < 16) {
        p[n++] = (int)strtol(s, (char **)&s, 10);
        if (*s != ';')
            break;
        s++;
    }
    int one = p[0] ? p[0] : 1;
    if (private && (final == 'h' || final == 'l')) {
        for (int i = 0; i < n; i++)
            mode(vt, p[i], final == 'h');
    } else if (final == 'H') {
        vt->y = one - 1 < vt->cells.h ? one - 1 : vt->cells.h - 1;
        vt->x = (p[1] ? p[1] : 1) - 1;
        vt->wrap = false;
    } else if (final == 'C') {
        vt->x = vt->x + one < vt->cells.w ? vt->x + one : vt->cells.w - 1;
        vt->wrap = false;
    } else if (final == 'K' && !p[0]) {
        blank_out(vt, vt->x, vt->y, vt->cells.w - vt->x);
    } else if (final == 'X') {
        blank_out(vt, vt->x, vt->y, one);
    } else if (final == 'J') {
        for (int y = p[0] == 2 ? 0 : vt->y; y < vt->cells.h; y++)
            blank_out(vt, p[0] == 2 || y > vt->y ? 0 : vt->x, y, vt->cells.w);
    } else if (final == 'm') {
        sgr(vt, p, n);
    } else if (!(final == 'l' && p[0] == 34) && !(final == 'h' && p[0] == 34)) { /* cursor shapes */
        vt->unknown++;
    }
}

static void character(Vt *vt, uint32_t code, const char *bytes, int n)
{
    int width = utf8_columns(code);
    if (width == 0) {
        int x = vt->wrap ? vt->x : vt->x - 1;
        if (x >= 0) {
            Cell *cell = at(vt, x, vt->y);
            cell -= cell->width == 0;
            strncat(cell->text, bytes, (size_t)n);
        }
        return;
    }
    if (vt->wrap) {
        vt->x = 0;
        vt->wrap = false;
        if (++vt->y == vt->cells.h) {
            vt->y--;
            vt->scrolled++;
        }
    }
    for (int i = 0; i < width; i++) { /* who writes on one half of a wide character blanks the other */
        Cell *old = at(vt, vt->x + i, vt->y);
        if (old->width == 0 && vt->x + i > 0)
            strcpy(old[-1].text, " "), old[-1].width = 1;
        if (old->width == 2 && vt->x + i + 1 < vt->cells.w)
            strcpy(old[1].text, " "), old[1].width = 1;
    }
    Cell *cell = at(vt, vt->x, vt->y);
    *cell = (Cell){ .width = (uint8_t)width, .style = vt->style };
    memcpy(cell->text, bytes, (size_t)n);
    if (width == 2)
        cell[1] = (Cell){ .text = "", .width = 0, .style = vt->style };
    vt->x += width;
    if (vt->x >= vt->cells.w) {
        vt->x = vt->cells.w - 1;
        vt->wrap = true;
    }
}

static void byte_feed(Vt *vt, char byte)
{
    if (vt->n_part == 0 && (unsigned char)byte < 0x20 && byte != 27) {
        if (byte == '\r')
            vt->x = 0, vt->wrap = false;
        else if (byte != 15)
            vt->unknown++;
        return;
    }
    vt->part[vt->n_part++] = byte;
    if (vt->part[0] == 27) {
        bool is_csi = vt->n_part > 1 && vt->part[1] == '[';
        bool done = is_csi ? vt->n_part > 2 && byte >= '@' && byte <= '~' : vt->n_part > 1;
        if (done && is_csi)
            csi(vt);
        else if (done && byte != '=' && byte != '>')
            vt->unknown++;
        if (done || vt->n_part == (int)sizeof vt->part)
            vt->n_part = 0;
        return;
    }
    uint32_t code;
    int n = utf8_decode(vt->part, (size_t)vt->n_part, &code);
    if (n > 0)
        character(vt, code, vt->part, n);
    if (n < 0)
        vt->unknown++;
    if (n)
        vt->n_part = 0;
}

void vt_feed(Vt *vt, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        byte_feed(vt, bytes[i]);
}

static bool blank(const Cell *cell)
{
    return cell->width == 1 && (!*cell->text || !strcmp(cell->text, " ")) && !(cell->style.attrs & (ATTR_REVERSE | ATTR_UNDERLINE));
}

bool vt_shows(const Vt *vt, const Canvas *canvas)
{
    for (int y = 0; y < canvas->h; y++) {
        for (int x = 0; x < canvas->w; x++) {
            const Cell *a = &canvas->cells[y * canvas->w + x], *b = &vt->cells.cells[y * canvas->w + x];
            bool same = a->width == b->width && !strcmp(a->text, b->text) && a->style.fg == b->style.fg &&
                        a->style.bg == b->style.bg && a->style.attrs == b->style.attrs;
            if (blank(a) && blank(b))
                same = a->style.bg == b->style.bg;
            if (!same && !(a->width == 0 && b->width == 0)) {
                printf("# row %d column %d: wanted \"%s\" (%d columns, fg %x bg %x attrs %d), shown \"%s\" (%d, %x %x %d)\n", y, x,
                       a->text, a->width, (unsigned)a->style.fg, (unsigned)a->style.bg, a->style.attrs, b->text, b->width,
                       (unsigned)b->style.fg, (unsigned)b->style.bg, b->style.attrs);
                return false;
            }
        }
    }
    return true;
}
