// SPDX-License-Identifier: MIT
/* Keys: the bytes that a terminal sends cut into keystrokes, and the one table of what keys do. From a row of the table come
 * the binding at the prompt, the key in a focused pane, the bottom line and the help.
 *
 * The leader is Ctrl-X. Readline uses it as a prefix already, so no editing key is lost: only letters that readline left
 * free behind it are taken, and a binding of the user's ~/.inputrc wins over ours. It is typed alike on all keyboards, and
 * tmux (^B), screen (^A), browsers (^N ^T ^W), Windows terminals (^C ^V) and flow control (^S ^Q) leave it alone.
 * Pure functions, any thread. */
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a keystroke is: a character (its code point; control characters as themselves) or one of these. */
enum {
    KEY_NONE = 0,
    KEY_TAB = '\t',
    KEY_ENTER = '\r',
    KEY_ESCAPE = 27,
    KEY_UP = 0x110001,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_INSERT,
    KEY_DELETE,
    KEY_BACKTAB,
    KEY_F1,
    KEY_F2,
    KEY_F3,
    KEY_F4,
    KEY_F5,
    KEY_F6,
    KEY_F7,
    KEY_F8,
    KEY_F9,
    KEY_F10,
    KEY_F11,
    KEY_F12,
    KEY_PASTE,    /* the beginning of a bracketed paste */
    KEY_UNKNOWN,  /* a sequence that means nothing to us: a report, a mouse, a key with a rare modifier */
    KEY_ALT = 0x1000000, /* flag */
    KEY_CTRL = 0x2000000, /* flag; of arrows and the like */
};

#define KEYS_LEADER 24 /* Ctrl-X */
#define KEYS_PASTE_END "\033[201~"

/* The first keystroke of n bytes: how many bytes it takes and its code. 0: its end has not come; with `late` (the rest is
 * overdue) what is there counts as whole, so that a lone ESC is a key. */
size_t keys_unit(const char *bytes, size_t n, bool late, int *code);

/* "Ctrl-X", "F1", "Alt-h", "PageUp", "q": for people. Returns out. */
const char *keys_name(int code, char out[24]);

/* id · letter after the leader, and alone in a focused pane · further key · readline command · what it does, short · long */
#define KEYS_ACTIONS(X) \
    X(NEXT, 'o', KEY_F6, "hebb-next-pane", "pane", "go to the next pane (Esc: back to the prompt)") \
    X(PREVIOUS, 'O', 0, "hebb-previous-pane", "", "go to the previous pane") \
    X(ZOOM, 'z', KEY_F11, "hebb-zoom", "zoom", "show this pane alone, or all again") \
    X(PAUSE, 'p', KEY_F5, "hebb-pause", "pause", "pause the training, or go on") \
    X(STEP, 's', KEY_F8, "hebb-step", "step", "train one batch, then pause (after Alt-5: five)") \
    X(STOP, 'k', 0, "hebb-stop", "stop", "end the training at its next step; asks first") \
    X(LAYER_NEXT, 'l', KEY_F3, "hebb-next-layer", "layer", "look at the next layer's activations") \
    X(LAYER_PREVIOUS, 'L', 0, "hebb-previous-layer", "", "look at the previous layer's") \
    X(SAMPLE_NEXT, 'n', KEY_F4, "hebb-next-sample", "sample", "look at the next probe sample") \
    X(SAMPLE_PREVIOUS, 'N', 0, "hebb-previous-sample", "", "look at the previous one") \
    X(RUN_NEXT, 'r', 0, "hebb-next-run", "", "look at the next run") \
    X(RUN_PREVIOUS, 'R', 0, "hebb-previous-run", "", "look at the previous run") \
    X(CURVES, 'm', 0, "hebb-next-curves", "curves", "the next chart: metrics alone or together, the learning rate") \
    X(CURVES_PREVIOUS, 'M', 0, "hebb-previous-curves", "", "the previous chart") \
    X(LOG, 'g', 0, "hebb-log-scale", "scale", "curves: the usual range, a logarithm, the whole range") \
    X(SMOOTHER, 'a', 0, "hebb-smoother", "smooth", "average the curves over more steps") \
    X(ROUGHER, 'A', 0, "hebb-rougher", "", "average them over fewer steps") \
    X(THEME, 't', 0, "hebb-theme", "theme", "the next colour theme") \
    X(BIG, 'b', 0, "hebb-big", "big", "large panes for a projector, or all panes") \
    X(TALLER, '+', 0, "hebb-taller", "", "more rows for the prompt") \
    X(SHORTER, '-', 0, "hebb-shorter", "", "fewer rows for it") \
    X(UP, 'u', KEY_PAGE_UP, "hebb-scroll-up", "scroll", "scroll back, half a pane") \
    X(DOWN, 'd', KEY_PAGE_DOWN, "hebb-scroll-down", "", "scroll forward") \
    X(HELP, 'h', KEY_F1, "hebb-help", "help", "these keys") \
    X(WORD, '?', KEY_ALT | 'h', "hebb-help-word", "", "help on the name at the cursor") \
    X(REDRAW, 'c', 0, "hebb-redraw", "", "paint the whole screen again") \
    X(QUIT, 'q', KEY_F10, "hebb-quit", "quit", "leave; asks while a run is in training")

typedef enum {
    ACT_NONE,
#define X(id, letter, key, command, label, help) ACT_##id,
    KEYS_ACTIONS(X)
#undef X
    ACT_COUNT
} Action;

typedef struct KeyRow {
    char letter;
    int key;             /* without the leader; 0: none */
    const char *command; /* its name for ~/.inputrc */
    const char *label;   /* for the bottom line; "": left out there */
    const char *help;
} KeyRow;

const KeyRow *keys_row(Action action); /* 1 … ACT_COUNT-1 */
Action keys_letter(int code); /* the action of a letter; ACT_NONE */
Action keys_direct(int code); /* of a further key; ACT_NONE */

/* The byte sequences of a key, one by one: i = 0, 1, … until NULL. */
const char *keys_sequence(int code, int i);

#endif
