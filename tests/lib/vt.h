// SPDX-License-Identifier: MIT
/* A terminal in memory, for tests: reads the bytes that a program sends and holds the cells that a person would see.
 * It knows the part of ECMA-48 and xterm that hebb sends, and counts everything else as `unknown`. */
#ifndef TEST_VT_H
#define TEST_VT_H

#include "ui/canvas.h"

typedef struct Vt {
    Canvas cells; /* styles: colours as INK_…, attributes */
    int x, y;
    bool wrap;    /* the last column was written: the next character goes to the next row */
    Style style;
    bool cursor, second, sync, paste;
    int unknown, scrolled;
    char part[64]; /* of a sequence */
    int n_part;
} Vt;

void vt_init(Vt *vt, int w, int h);
void vt_fini(Vt *vt);
void vt_feed(Vt *vt, const char *bytes, size_t n);

/* True when the screen shows what the canvas holds; else prints the first cell that differs. */
bool vt_shows(const Vt *vt, const Canvas *canvas);

#endif
