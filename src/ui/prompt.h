// SPDX-License-Identifier: MIT
/* The prompt: readline as an editing engine without a screen. Keystrokes go in, its line is drawn on the canvas, whole
 * blocks come out to the host. Readline is global, so there is one prompt at a time. The ui thread.
 *
 * Readline's keys, ~/.inputrc (with "$if hebb"), vi mode, kill ring, undo and Ctrl-R are readline's own; the actions of
 * ui/keys.h are readline commands too ("hebb-pause", …), so that they can be bound to other keys there. */
#ifndef UI_PROMPT_H
#define UI_PROMPT_H

#include "ui/face.h"
#include "ui/keys.h"
#include "ui/view.h"

typedef struct PromptSetup {
    const FaceHost *host;   /* borrowed */
    Console *console;       /* borrowed */
    const char *terminal;   /* terminfo entry for readline */
    bool utf8;
    void (*act)(void *ctx, Action action, int count); /* an action was asked for; count: Alt-5 before it gives 5 */
    int (*more)(void *ctx); /* one more byte, waited for (readline is inside of a command); -1: none */
    void *ctx;
} PromptSetup;

/* Readline's version: "8.2". */
const char *prompt_library(void);

/* Fails: ERR_IO when readline has no place to write to. */
MUST_USE bool prompt_open(const PromptSetup *setup, Err *err);
void prompt_close(void);

/* One whole keystroke. */
void prompt_key(const char *bytes, size_t n, int code);

/* A pasted text, as one block, without completion. */
void prompt_paste(const char *text, size_t n);

/* Ctrl-C: forget the line, a search, a half-typed key. The text can be yanked back. */
void prompt_cancel(void);

bool prompt_empty(void);   /* nothing is typed */
bool prompt_leading(void); /* the leader was typed, its letter is awaited */
bool prompt_listing(void); /* a list of candidates is open */

/* The name at the cursor; false when there is none. */
bool prompt_word(char out[COMPLETE_PATH]);

/* The scrollback's place. */
View *prompt_view(void);

/* Draw console, line, candidates and, on the row below the area, the signature of the call around the cursor. */
void prompt_draw(Canvas *canvas, Rect area, const Theme *theme, int *x, int *y);

/* The line for tests and for drawing elsewhere. */
const char *prompt_text(void);

#endif
