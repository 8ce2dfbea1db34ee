// SPDX-License-Identifier: MIT
/* What lies over the dashboard for a moment: a text to be read (help), a question; and the bottom line. The ui thread. */
#ifndef UI_OVERLAY_H
#define UI_OVERLAY_H

#include "ui/keys.h"
#include "ui/screen.h"
#include "ui/theme.h"

typedef struct Overlay {
    bool open;
    char title[64];
    Buf text;  /* lines; owned */
    int top;   /* first line shown */
    int rows;  /* lines shown at the last drawing */
} Overlay;

void overlay_fini(Overlay *overlay);
void overlay_open(Overlay *overlay, const char *title, const char *text);

/* The keys, from their table, and what the screen costs. */
void overlay_open_keys(Overlay *overlay, const Screen *screen);

/* A key while it is open: scrolls, or closes it. */
void overlay_key(Overlay *overlay, int code);

void overlay_draw(Overlay *overlay, Canvas *canvas, const Theme *theme);

/* A question in the middle of the screen; its last line says which keys answer. */
void overlay_ask(Canvas *canvas, const Theme *theme, const char *title, const char *text, const char *keys);

/* The bottom line: the keys that work now. `works` tells which; leading: the leader was typed; direct: a pane has the focus,
 * no leader is needed. */
void overlay_keys(Canvas *canvas, Rect area, const Theme *theme, bool leading, bool direct,
                  bool (*works)(const void *ctx, Action action), const void *ctx);

#endif
