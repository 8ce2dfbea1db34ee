// SPDX-License-Identifier: MIT
/* A grid of character cells that panels draw on and a screen (or a test) reads. No terminal is involved.
 * The owner frees it; one thread at a time. Drawing outside the grid or a Rect's clip is cut off, never an error. */
#ifndef UI_CANVAS_H
#define UI_CANVAS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

typedef struct Rect {
    int x, y, w, h;
} Rect;

/* A colour as the theme resolved it for the terminal's depth: COLOR_DEFAULT_, an index 0 … 255, or INK_RGB | 0xRRGGBB. */
typedef int32_t Ink;
#define INK_DEFAULT (-1)
#define INK_RGB 0x1000000

enum { ATTR_BOLD = 1, ATTR_DIM = 2, ATTR_REVERSE = 4, ATTR_UNDERLINE = 8 };

typedef struct Style {
    Ink fg, bg;
    uint8_t attrs;
} Style;

#define CELL_BYTES 12

typedef struct Cell {
    char text[CELL_BYTES]; /* UTF-8 of one cell, combining marks included; "" for the right half of a wide character */
    uint8_t width;         /* 1, 2, or 0 for the right half */
    Style style;
} Cell;

typedef struct Canvas {
    int w, h;
    Cell *cells; /* owned, w x h, row by row */
    bool ascii;  /* draw with ASCII only: canvas_glyph picks the stand-ins */
    Rect clip;
} Canvas;

void canvas_init(Canvas *canvas);
void canvas_fini(Canvas *canvas);

/* Set the size and clear to blanks of the style. Fails: ERR_MEM (the old size stays). */
MUST_USE bool canvas_resize(Canvas *canvas, int w, int h, Style style, Err *err);

void canvas_clip(Canvas *canvas, Rect clip); /* w < 0: the whole canvas */
void canvas_fill(Canvas *canvas, Rect area, Style style);

/* UTF-8 text from (x, y), at most `width` columns (negative: to the clip's edge); returns columns used. Control characters
 * and malformed bytes are drawn as visible stand-ins; wide and combining characters take their real width. */
int canvas_text(Canvas *canvas, int x, int y, int width, Style style, const char *text);
int canvas_textf(Canvas *canvas, int x, int y, int width, Style style, const char *format, ...) PRINTF_LIKE(6, 7);

/* The same; a text that is too long ends in "…". */
int canvas_text_cut(Canvas *canvas, int x, int y, int width, Style style, const char *text);

/* The same, ending at column x + width. */
void canvas_text_right(Canvas *canvas, int x, int y, int width, Style style, const char *text);

/* One glyph by code point; on an ASCII canvas its stand-in. */
void canvas_put(Canvas *canvas, int x, int y, Style style, uint32_t glyph);

/* What stands for a glyph on this canvas: itself, or an ASCII character. */
uint32_t canvas_glyph(const Canvas *canvas, uint32_t glyph);

/* Set dots of the braille pattern of a cell (bits as in U+2800 + bits), keeping those that are there; the cell takes the
 * style. On an ASCII canvas the caller draws something else. */
void canvas_dots(Canvas *canvas, int x, int y, Style style, unsigned bits);

/* Thin frame with a title at the left of its upper border and the state at the right. */
void canvas_frame(Canvas *canvas, Rect area, Style border, Style title_style, const char *title, Style state_style, const char *state);

/* Columns that a text takes. The next character: bytes used (0 at the end), its code point and width. Malformed bytes come
 * one at a time as U+FFFD. Widths do not depend on the locale. */
int canvas_width(const char *text);
size_t canvas_next(const char *text, uint32_t *code, int *width);

/* The grid as text, a line a row, trailing blanks cut: what tests compare. With styles: one more grid that shows, for each
 * cell, a letter for its style (in the order of their first use, '?' beyond 62), and a list of letters. */
void canvas_dump(const Canvas *canvas, bool styles, Buf *out);

#endif
