// SPDX-License-Identifier: MIT
/* The bytes that turn what a terminal shows into what a canvas holds: only the differences. No terminal is touched.
 * The Painter owns a copy of the screen as it stands after all bytes given out so far. One thread.
 *
 * hebb paints its cells itself, by terminfo's strings, instead of through curses windows: see paint.c for the figures. */
#ifndef UI_PAINT_H
#define UI_PAINT_H

#include "ui/canvas.h"
#include "ui/caps.h"

typedef struct Painter {
    const Caps *caps;
    Canvas shown;      /* what stands on the screen */
    bool known;        /* `shown` is true; false: paint everything */
    int x, y;          /* where the cursor is; x < 0: not known */
    Style style;       /* what the terminal is set to */
    bool style_known;
    bool cursor_shown, cursor_known;
    bool sync;         /* wrap larger frames in synchronized output (mode 2026): terminals that know it show them at once */
} Painter;

void painter_init(Painter *painter, const Caps *caps);
void painter_fini(Painter *painter);

/* The screen is not what we think: the next frame is painted whole. */
void painter_forget(Painter *painter);

/* Append the bytes for this frame; nothing when nothing has changed. The cursor goes to (x, y), or is hidden when x < 0.
 * Fails: ERR_MEM (then the screen is unknown and the next frame is painted whole). */
MUST_USE bool painter_frame(Painter *painter, Buf *out, const Canvas *canvas, int x, int y, Err *err);

#endif
