// SPDX-License-Identifier: MIT
/* What was typed, from bytes to keystrokes and pasted texts. The ui thread. */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include "ui/keys.h"
#include "ui/screen.h"

typedef struct Input {
    Buf bytes;       /* read and not yet used; owned */
    size_t used;
    Buf paste;       /* owned */
    bool pasting;
    double last;     /* when bytes came */
} Input;

typedef void (*InputKey)(void *ctx, const char *bytes, size_t n, int code);
typedef void (*InputPaste)(void *ctx, const char *text, size_t n);

void input_fini(Input *input);

/* Take what the terminal has. False: it is gone. */
bool input_read(Input *input, Screen *screen);

/* Hand out what is whole. late: nothing more has come for a while, so what is there is whole. */
void input_run(Input *input, bool late, InputKey key, InputPaste paste, void *ctx);

/* Seconds until the beginning of a key counts as a key (a lone Esc); large when there is none. */
double input_due(const Input *input, double now);

/* One byte more, waited for a second: readline is in the middle of a command. -1: none. */
int input_byte(Input *input, Screen *screen);

#endif
