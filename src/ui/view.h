// SPDX-License-Identifier: MIT
/* The prompt pane as a picture: the console's last lines, below them the block that is being edited. Drawing only; what is
 * edited comes as plain data. The ui thread. */
#ifndef UI_VIEW_H
#define UI_VIEW_H

#include "ui/complete.h"
#include "ui/console.h"
#include "ui/theme.h"

#define VIEW_FOLLOW UINT64_MAX

/* What part of the console is seen. */
typedef struct View {
    uint64_t bottom;  /* the line after the last one seen; VIEW_FOLLOW: the newest */
    uint64_t cleared; /* lines before are seen only when scrolled back */
} View;

/* The block that is being edited. Borrowed. */
typedef struct Edit {
    const char *sign;   /* "> ", or what readline shows in a search */
    const char *text;
    size_t n, point;
    bool plain;         /* no colours of Lua: a search, or a shell command */
    const char *ghost;  /* dim text behind the end: a suggestion; may be NULL */
} Edit;

void view_init(View *view);

/* Scroll by so many lines (negative: towards older ones, up to the page that begins with the oldest) in an area of so many
 * columns and rows. */
void view_scroll(View *view, const Console *console, int lines, int columns, int rows);

/* Draw both into the area; (*x, *y) is the cursor, x < 0 when it is not seen. */
void view_draw(const View *view, const Console *console, const Edit *edit, Canvas *canvas, Rect area, const Theme *theme, int *x, int *y);

/* The candidates in a box near (x, y), row `chosen` marked (negative: none). */
void view_candidates(const Candidates *found, int chosen, Canvas *canvas, int x, int y, const Theme *theme);

/* Bytes of the text that fit in a row of so many columns; at least one character. Breaks at a blank in the last third. */
size_t view_wrap(const char *text, int columns);

#endif
