// SPDX-License-Identifier: MIT
/* Cell by cell against the copy of the screen. Between two changed cells of a row the cheaper of a cursor move and writing
 * the cells between again is taken; a blank rest of a row is erased.
 *
 * Why not curses' own windows: 24-bit colour through them needs a terminfo entry with direct colour, which Debian's base
 * lacks and which would have to be made for each $TERM; their pairs run out and recolour cells that still stand (a heat
 * map of two colours a cell); and doupdate blocks when a slow line is full, with the prompt behind it. tests/unit/
 * test_paint.c counts the bytes of both for the same frames. */
#include "ui/paint.h"

#include <string.h>

#define SYNC_LEAST 256 /* bytes: below, a frame arrives in one piece anyway */

void painter_init(Painter *painter, const Caps *caps)
{
    *painter = (Painter){ .caps = caps, .x = -1 };
    canvas_init(&painter->shown);
}

void painter_fini(Painter *painter)
{
    canvas_fini(&painter->shown);
}

void painter_forget(Painter *painter)
{
    painter->known = painter->style_known = painter->cursor_known = false;
    painter->x = -1;
}

static bool style_same(Style a, Style b)
{
    return a.fg == b.fg && a.bg == b.bg && a.attrs == b.attrs;
}

/* A space of which only the background is seen. */
static bool cell_blank(const Cell *cell)
{
    return cell->width == 1 && (!cell->text[0] || (cell->text[0] == ' ' && !cell->text[1])) &&
           !(cell->style.attrs & (ATTR_REVERSE | ATTR_UNDERLINE));
}

/* Looks the same; the rest of the text field does not count. */
static bool cell_same(const Cell *a, const Cell *b)
{
    if (cell_blank(a) && cell_blank(b))
        return a->style.bg == b->style.bg;
    return a->width == b->width && style_same(a->style, b->style) && !strncmp(a->text, b->text, CELL_BYTES);
}

/* ---- style ---- */

/* The parameters of an ECMA-48 colour, ';' first. */
static void colour_params(Buf *out, Ink ink, bool back, int colors)
{
    if (ink == INK_DEFAULT)
        buf_puts(out, back ? ";49" : ";39");
    else if (ink & INK_RGB)
        buf_printf(out, ";%d;2;%d;%d;%d", back ? 48 : 38, ink >> 16 & 255, ink >> 8 & 255, ink & 255);
    else if (ink < 8 || colors <= 8)
        buf_printf(out, ";%d", (back ? 40 : 30) + (ink & 7));
    else if (ink < 16)
        buf_printf(out, ";%d", (back ? 100 : 90) + ink - 8);
    else
        buf_printf(out, ";%d;5;%d", back ? 48 : 38, ink);
}

/* Eight colours: the bright ones are the plain ones in bold. */
static Style style_fit(const Painter *painter, Style style)
{
    int colors = painter->caps->colors;
    if (colors == 0)
        style.fg = style.bg = INK_DEFAULT;
    else if (colors <= 8 && style.fg >= 8 && style.fg < 16)
        style.attrs |= ATTR_BOLD;
    return style;
}

static const struct {
    uint8_t attr;
    const char *param;
    Cap cap;
} attr_rows[] = {
    { ATTR_BOLD, ";1", CAP_bold },
    { ATTR_DIM, ";2", CAP_dim },
    { ATTR_UNDERLINE, ";4", CAP_smul },
    { ATTR_REVERSE, ";7", CAP_rev },
};

static void style_put_ansi(Painter *painter, Buf *out, Style style, bool plain)
{
    const Caps *caps = painter->caps;
    Style was = plain ? (Style){ INK_DEFAULT, INK_DEFAULT, 0 } : painter->style;
    Buf *params = out;
    size_t start = out->size;
    buf_puts(params, "\033[");
    size_t first = out->size;
    if (plain)
        buf_puts(params, ";0");
    for (size_t i = 0; i < sizeof attr_rows / sizeof *attr_rows; i++)
        if (style.attrs & ~was.attrs & attr_rows[i].attr && *caps->text[attr_rows[i].cap])
            buf_puts(params, attr_rows[i].param);
    if (style.fg != was.fg)
        colour_params(params, style.fg, false, caps->colors);
    if (style.bg != was.bg)
        colour_params(params, style.bg, true, caps->colors);
    if (out->failed)
        return;
    if (out->size == first) { /* nothing the terminal can do */
        out->size = start;
        return;
    }
    memmove(out->data + first, out->data + first + 1, out->size - first - 1); /* the first ';' */
    out->size--;
    buf_put(out, 'm');
}

static void style_put_terminfo(Painter *painter, Buf *out, Style style, bool plain)
{
    const Caps *caps = painter->caps;
    Style was = painter->style;
    if (plain || (style.fg == INK_DEFAULT && was.fg != INK_DEFAULT) || (style.bg == INK_DEFAULT && was.bg != INK_DEFAULT)) {
        caps_put(caps, out, CAP_sgr0, 0, 0);
        caps_put(caps, out, CAP_op, 0, 0);
        was = (Style){ INK_DEFAULT, INK_DEFAULT, 0 };
    }
    for (size_t i = 0; i < sizeof attr_rows / sizeof *attr_rows; i++)
        if (style.attrs & ~was.attrs & attr_rows[i].attr)
            caps_put(caps, out, attr_rows[i].cap, 0, 0);
    if (style.fg != was.fg && style.fg >= 0 && !(style.fg & INK_RGB))
        caps_put(caps, out, CAP_setaf, caps->colors <= 8 ? style.fg & 7 : style.fg, 0);
    if (style.bg != was.bg && style.bg >= 0 && !(style.bg & INK_RGB))
        caps_put(caps, out, CAP_setab, caps->colors <= 8 ? style.bg & 7 : style.bg, 0);
}

static void style_put(Painter *painter, Buf *out, Style style)
{
    style = style_fit(painter, style);
    if (painter->style_known && style_same(style, painter->style))
        return;
    bool plain = !painter->style_known || painter->style.attrs & ~style.attrs; /* attributes can only be taken off together */
    if (painter->caps->ansi)
        style_put_ansi(painter, out, style, plain);
    else
        style_put_terminfo(painter, out, style, plain);
    painter->style = style;
    painter->style_known = true;
}

/* ---- cursor ---- */

static int digits(int n)
{
    return n < 10 ? 1 : n < 100 ? 2 : 3;
}

static void cursor_move(Painter *painter, Buf *out, int x, int y)
{
    if (painter->x == x && painter->y == y)
        return;
    int ahead = x - painter->x;
    if (painter->caps->ansi) {
        if (painter->x >= 0 && painter->y == y && ahead > 0 && 3 + digits(ahead) < 4 + digits(y + 1) + digits(x + 1))
            buf_printf(out, ahead == 1 ? "\033[C" : "\033[%dC", ahead);
        else if (x == 0)
            buf_printf(out, "\033[%dH", y + 1);
        else
            buf_printf(out, "\033[%d;%dH", y + 1, x + 1);
    } else if (painter->x >= 0 && painter->y == y && ahead > 0 && *painter->caps->text[CAP_cuf]) {
        caps_put(painter->caps, out, CAP_cuf, ahead, 0);
    } else {
        caps_put(painter->caps, out, CAP_cup, y, x);
    }
    painter->x = x;
    painter->y = y;
}

/* ---- cells ---- */

/* A blank takes over whatever the terminal is set to, its background excepted. */
static Style cell_style(const Painter *painter, const Cell *cell)
{
    Style style = cell->style;
    if (cell_blank(cell) && painter->style_known && !(painter->style.attrs & (ATTR_REVERSE | ATTR_UNDERLINE)))
        style = (Style){ painter->style.fg, style.bg, painter->style.attrs };
    return style;
}

/* Write one cell where the cursor is. */
static void cell_put(Painter *painter, Buf *out, const Cell *cell)
{
    style_put(painter, out, cell_style(painter, cell));
    size_t n = strnlen(cell->text, CELL_BYTES);
    if (n)
        buf_write(out, cell->text, n);
    else
        buf_put(out, ' ');
    painter->x += cell->width ? cell->width : 1;
    /* Terminals disagree about the width of some characters, and about where the cursor is after the last column. */
    bool narrow = cell->width == 1 && (n <= 1 || (n == 3 && (uint8_t)cell->text[0] == 0xe2));
    if (!narrow || painter->x >= painter->shown.w)
        painter->x = -1;
}

/* Writing the cells from the cursor to x again costs less than a move: bytes, or -1 when it cannot be done. */
static int gap_cost(const Painter *painter, const Cell *row, int x)
{
    int cost = 0;
    if (painter->x < 0 || x - painter->x > 6)
        return -1;
    for (int i = painter->x; i < x; i++) {
        if (row[i].width != 1 || !style_same(style_fit(painter, cell_style(painter, &row[i])), painter->style))
            return -1;
        cost += (int)strnlen(row[i].text, CELL_BYTES);
    }
    return cost;
}

static void cells_reach(Painter *painter, Buf *out, const Cell *row, int x, int y)
{
    if (painter->x == x && painter->y == y)
        return;
    int cost = painter->y == y && painter->x < x && painter->style_known ? gap_cost(painter, row, x) : -1;
    if (cost < 0 || cost > 3 + digits(x - painter->x)) {
        cursor_move(painter, out, x, y);
        return;
    }
    while (painter->x >= 0 && painter->x < x)
        cell_put(painter, out, &row[painter->x]);
    if (painter->x != x)
        cursor_move(painter, out, x, y);
}

static bool erase_right(const Painter *painter, const Cell *cell)
{
    return cell_blank(cell) && (painter->caps->bce || style_fit(painter, cell->style).bg == INK_DEFAULT);
}

/* How many cells from x on are blanks that look alike. */
static int blank_run(const Cell *row, int x, int w)
{
    int n = 0;
    while (x + n < w && cell_blank(&row[x + n]) && row[x + n].style.bg == row[x].style.bg)
        n++;
    return n;
}

/* Erase blanks from x on when that is shorter than writing them; returns how many cells are done. */
static int blanks_erase(Painter *painter, Buf *out, const Cell *row, int x, int y, int w)
{
    const Caps *caps = painter->caps;
    if (!erase_right(painter, &row[x]))
        return 0;
    int n = blank_run(row, x, w);
    bool to_end = x + n == w && *caps->text[CAP_el];
    if (n < (to_end ? 5 : 12) || (!to_end && !*caps->text[CAP_ech]))
        return 0;
    cells_reach(painter, out, row, x, y);
    style_put(painter, out, cell_style(painter, &row[x]));
    if (to_end || !caps->ansi)
        caps_put(caps, out, to_end ? CAP_el : CAP_ech, n, 0);
    else
        buf_printf(out, "\033[%dX", n);
    return n;
}

static void row_paint(Painter *painter, Buf *out, const Canvas *canvas, int y)
{
    int w = canvas->w, end = w;
    const Cell *row = canvas->cells + (size_t)y * (size_t)w;
    const Cell *shown = painter->shown.cells + (size_t)y * (size_t)w;
    if (y == canvas->h - 1 && !painter->caps->last_cell)
        end = w - 1;
    for (int x = 0; x < end;) {
        if (painter->known && cell_same(&row[x], &shown[x])) {
            x++;
            continue;
        }
        if (row[x].width == 0 && x > 0 && row[x - 1].width == 2) { /* the left half brings it */
            x++;
            if (painter->known && cell_same(&row[x - 2], &shown[x - 2])) {
                cells_reach(painter, out, row, x - 2, y);
                cell_put(painter, out, &row[x - 2]);
            }
            continue;
        }
        int n = end == w ? blanks_erase(painter, out, row, x, y, w) : 0;
        if (n) {
            x += n;
            continue;
        }
        cells_reach(painter, out, row, x, y);
        cell_put(painter, out, &row[x]);
        x++;
    }
}

static void screen_clear(Painter *painter, Buf *out, const Canvas *canvas)
{
    Style blank = canvas->w && canvas->h ? canvas->cells[0].style : (Style){ INK_DEFAULT, INK_DEFAULT, 0 };
    style_put(painter, out, (Style){ blank.fg, blank.bg, 0 });
    caps_put(painter->caps, out, CAP_clear, 0, 0);
    painter->x = -1;
}

static void cursor_end(Painter *painter, Buf *out, int x, int y)
{
    bool show = x >= 0 && x < painter->shown.w && y >= 0 && y < painter->shown.h;
    if (show)
        cursor_move(painter, out, x, y);
    if (!painter->cursor_known || show != painter->cursor_shown)
        caps_put(painter->caps, out, show ? CAP_cnorm : CAP_civis, 0, 0);
    painter->cursor_shown = show;
    painter->cursor_known = true;
}

bool painter_frame(Painter *painter, Buf *out, const Canvas *canvas, int x, int y, Err *err)
{
    Canvas *shown = &painter->shown;
    size_t start = out->size;
    bool sized = shown->w == canvas->w && shown->h == canvas->h;
    if (!sized && !canvas_resize(shown, canvas->w, canvas->h, (Style){ INK_DEFAULT, INK_DEFAULT, 0 }, err)) {
        painter_forget(painter);
        return false;
    }
    if (!sized)
        painter->known = false;
    if (!painter->known)
        screen_clear(painter, out, canvas);
    for (int row = 0; row < canvas->h; row++)
        row_paint(painter, out, canvas, row);
    if (canvas->w && canvas->h)
        memcpy(shown->cells, canvas->cells, (size_t)canvas->w * (size_t)canvas->h * sizeof *shown->cells);
    cursor_end(painter, out, x, y);
    painter->known = true;
    if (painter->sync && out->size - start > SYNC_LEAST) {
        size_t n = out->size - start;
        buf_puts(out, "\033[?2026h\033[?2026l");
        if (!out->failed) {
            memmove(out->data + start + 8, out->data + start, n);
            memcpy(out->data + start, "\033[?2026h", 8);
            memcpy(out->data + out->size - 8, "\033[?2026l", 8);
        }
    }
    if (!buf_ok(out, err)) {
        painter_forget(painter);
        return false;
    }
    return true;
}
