// SPDX-License-Identifier: MIT
/* The lines that the prompt pane shows. Any thread writes, without ever waiting for the screen; the ui thread reads.
 * It keeps the last CONSOLE_LINES lines and counts what it dropped. Control characters of hostile text are made visible
 * on the way in (ESC as ^[, U+202E as <202E>, a malformed byte as <FF>); tabs become spaces up to the next multiple of 8; a
 * lone carriage return starts the unfinished line anew, as a progress line expects. */
#ifndef UI_CONSOLE_H
#define UI_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define CONSOLE_LINES 10000
#define CONSOLE_LINE_MOST 65536 /* bytes of a line; a longer one goes on in the next */
#define CONSOLE_BYTES (16u << 20) /* bytes of all lines; the oldest go first */

typedef enum {
    LINE_OUT,    /* what print wrote */
    LINE_VALUE,  /* the value of an expression */
    LINE_NOTE,   /* hebb says something: "takes effect at step 391" */
    LINE_ERROR,  /* an error; drawn with a mark */
    LINE_INPUT,  /* what the user entered, after its prompt */
} LineKind;

typedef struct Console Console;

/* Fails: ERR_MEM. */
MUST_USE Console *console_new(Err *err);
void console_free(Console *console);

/* Add text; it may hold several lines or none. An unfinished line is continued by the next write of the same kind. */
void console_write(Console *console, LineKind kind, const char *text, size_t n);
void console_puts(Console *console, LineKind kind, const char *text);

/* What to call after each write (face_wake): cheap, from any thread. NULL: nobody. */
void console_set_waker(Console *console, void (*wake)(void));

/* Grows with each write. */
uint64_t console_version(const Console *console);

/* Line numbers first … end-1 exist (they grow for ever; `first` lines were dropped). */
void console_range(const Console *console, uint64_t *first, uint64_t *end);

/* Copy line i (UTF-8, no newline) into out; false when it was dropped. */
bool console_line(const Console *console, uint64_t i, Buf *out, LineKind *kind);

#endif
