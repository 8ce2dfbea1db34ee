// SPDX-License-Identifier: MIT
/* A theme file as it was written: for every key what each of its columns (one a depth) says. Plain data. */
#ifndef UI_SHEET_H
#define UI_SHEET_H

#include "ui/theme.h"

#define MOST_STOPS 32

/* What one column says about a role. Colours: Ink; unset ones are inherited. */
typedef struct Look {
    bool given, has_fg, has_bg, has_attrs;
    Ink fg, bg;
    uint8_t attrs;
} Look;

typedef struct Stops {
    int n;
    Ink inks[MOST_STOPS];
} Stops;

/* Columns in the order in which a line has them. */
enum { COLUMN_TRUE, COLUMN_256, COLUMN_16, COLUMN_NONE, COLUMNS };

typedef struct Sheet {
    Look background[COLUMNS];
    Look roles[ROLE_COUNT][COLUMNS];
    Stops ramps[RAMP_COUNT][COLUMNS];
} Sheet;

/* Read the lines of a theme file into the sheet; keys that are not there keep what the sheet held. `where` names the file in
 * errors. Fails: ERR_DATA with file and line. */
MUST_USE bool sheet_read(Sheet *sheet, const char *text, const char *where, Err *err);

#endif
