// SPDX-License-Identifier: MIT
/* Tab at the prompt: adds what all candidates share; shows them when there are several; further Tabs go through them, Enter
 * or any editing key keeps the one that stands there, Esc takes it back. The ui thread. */
#ifndef UI_TAB_H
#define UI_TAB_H

#include "ui/face.h"
#include "ui/view.h"

void tab_press(const FaceHost *host, bool back, int key);

/* A key while the list is open: true when the list has used it. Others close it. */
bool tab_key(int code);

/* Enter: true when a candidate was chosen and is kept. */
bool tab_accept(void);

bool tab_open(void);
void tab_close(void);
void tab_draw(Canvas *canvas, int x, int y, const Theme *theme);

#endif
