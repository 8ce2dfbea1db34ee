// SPDX-License-Identifier: MIT
/* What a terminal can do and the byte strings that make it do so: read once from terminfo, then plain data.
 * Terms: a capability is named as in terminfo(5). One thread: ui. */
#ifndef UI_CAPS_H
#define UI_CAPS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* terminfo's name; what it does */
#define CAPS(X) \
    X(cup, "move the cursor to row, column") \
    X(cuf, "move the cursor n columns right") \
    X(el, "erase to the end of the row") \
    X(ech, "erase n columns, the cursor stays") \
    X(clear, "erase everything") \
    X(sgr0, "plain text") \
    X(bold, "bold") \
    X(dim, "dim") \
    X(rev, "reversed colours") \
    X(smul, "underlined") \
    X(setaf, "set foreground to colour n") \
    X(setab, "set background to colour n") \
    X(op, "default colours") \
    X(smcup, "enter the second screen") \
    X(rmcup, "leave the second screen") \
    X(civis, "hide the cursor") \
    X(cnorm, "show the cursor")

typedef enum {
#define X(name, help) CAP_##name,
    CAPS(X)
#undef X
    CAP_COUNT
} Cap;

typedef struct Caps {
    char name[64];  /* the terminfo entry in use */
    bool unknown;   /* $TERM was not known here and `name` stands in for it */
    char text[CAP_COUNT][64]; /* "" where the terminal cannot; padding is removed */
    int colors;     /* 0, 8, 16, 256, 1 << 24 */
    bool bce;       /* erasing paints the current background */
    bool last_cell; /* writing the last cell of the screen does not scroll it */
    bool ansi;      /* speaks ECMA-48: cursor moves and colours may be written without terminfo's interpreter */
} Caps;

/* Read the entry of $TERM; one that is not known here is taken for xterm-256color (every terminal that brings its own name
 * understands that), a missing one for vt100. Fails: ERR_IO when the terminal cannot place its cursor or nothing is known. */
MUST_USE bool caps_read(Caps *caps, Err *err);

/* "ncurses 6.4.20221231", whose terminfo it is. */
const char *caps_library(void);

/* Append a capability with its numbers (ignored where it takes none). */
void caps_put(const Caps *caps, Buf *out, Cap cap, int a, int b);

#endif
