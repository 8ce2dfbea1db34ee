// SPDX-License-Identifier: MIT
/* Colour themes: files of "key = colour" lines in themes/, read at start and at :theme. Panels ask for roles, never for
 * colours. A theme is resolved once for the depth of the terminal (true colour, 256, 16, none). themes/sample.theme
 * documents every key and the format. One thread: ui. */
#ifndef UI_THEME_H
#define UI_THEME_H

#include "ui/canvas.h"

typedef enum { DEPTH_NONE, DEPTH_16, DEPTH_256, DEPTH_TRUE } Depth;

/* role, key in the file, what it is for */
#define THEME_ROLES(X) \
    X(TEXT, "text", "what says something") \
    X(LABEL, "label", "what only labels: axes, units, keys' names") \
    X(BRIGHT, "bright", "the thing itself: values, titles") \
    X(BORDER, "border", "frames of panes") \
    X(FOCUS, "focus", "frame and title of the pane that has the keys") \
    X(SELECT, "select", "the chosen row") \
    X(TRAIN, "train", "training curves (solid)") \
    X(RAW, "raw", "raw values behind a smoothed training curve") \
    X(VALID, "valid", "validation curves (dashed)") \
    X(SERIES_1, "series_1", "curves where several share a chart, each with its letter") \
    X(SERIES_2, "series_2", "the same, number 2") \
    X(SERIES_3, "series_3", "the same, number 3") \
    X(SERIES_4, "series_4", "the same, number 4") \
    X(SERIES_5, "series_5", "the same, number 5") \
    X(SERIES_6, "series_6", "the same, number 6") \
    X(SERIES_7, "series_7", "the same, number 7") \
    X(SERIES_8, "series_8", "the same, number 8") \
    X(GOOD, "good", "all is well, with a word") \
    X(TROUBLE, "trouble", "trouble, with ! and a sentence") \
    X(MARK, "mark", "a change made by the user, dotted") \
    X(PROMPT, "prompt", "the prompt sign") \
    X(INPUT, "input", "what is being typed") \
    X(VALUE, "value", "values printed at the prompt") \
    X(NOTE, "note", "what hebb says at the prompt") \
    X(KEY, "key", "keys in the bottom line") \
    X(BAR, "bar", "progress and bars, done part") \
    X(BAR_REST, "bar_rest", "progress, part to come")

typedef enum {
#define X(role, key, help) ROLE_##role,
    THEME_ROLES(X)
#undef X
    ROLE_COUNT
} Role;

#define THEME_RAMP 16

/* ramp, key in the file, what it is for: backgrounds of cells */
#define THEME_RAMPS(X) \
    X(HEAT, "heat", "feature maps and other heat, from nothing to most") \
    X(SIGNED, "signed", "signed values, negative to positive, zero in the middle") \
    X(HIT, "hit", "confusion matrix, the diagonal: right answers") \
    X(MISS, "miss", "confusion matrix, off the diagonal: wrong answers") \
    X(GREY, "grey", "the probe image, from nothing to most")

typedef enum {
#define X(ramp, key, help) RAMP_##ramp,
    THEME_RAMPS(X)
#undef X
    RAMP_COUNT
} Ramp;

typedef struct Theme {
    char name[32];
    Depth depth;
    Style roles[ROLE_COUNT];
    Ink ramps[RAMP_COUNT][THEME_RAMP]; /* backgrounds from low to high; signed: centre between 7 and 8 */
    Ink on_ramp[RAMP_COUNT][THEME_RAMP]; /* a text colour readable on it */
    Style base;                        /* blank cells */
} Theme;

/* By name or path; user's folder first, then the program's. Fails: ERR_IO, ERR_DATA with file and line. Unknown keys are
 * errors with the nearest known one; keys left out keep the built-in default. */
MUST_USE bool theme_load(Theme *theme, const char *name, Depth depth, Err *err);

/* The compiled-in dark theme; cannot fail. */
void theme_default(Theme *theme, Depth depth);

/* Colour depth from NO_COLOR, COLORTERM, TERM and what terminfo says (max_colors). */
Depth theme_depth(int max_colors);

/* Names of themes that can be loaded, sorted, one a line. */
void theme_list(Buf *out);

/* A colour of an image (0xRRGGBB) at the theme's depth. At DEPTH_16 and DEPTH_NONE only the grey ramp is honest: INK_DEFAULT. */
Ink theme_rgb(const Theme *theme, uint32_t rgb);

/* Parse the text of a theme file over the built-in dark theme; `where` names the file in errors. */
MUST_USE bool theme_parse(Theme *theme, const char *text, const char *where, Depth depth, Err *err);

/* Ramp step for a value 0 … 1 (NaN gives 0). At DEPTH_NONE panels use theme_shade. */
int theme_step(double value);
uint32_t theme_shade(double value, bool ascii); /* ' ' ░ ▒ ▓ █ or " .:-=+*#%@" */

#endif
