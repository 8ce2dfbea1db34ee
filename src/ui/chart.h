// SPDX-License-Identifier: MIT
/* Curves that tell the truth in few cells: an axis whose labels stand exactly on their rows and that keeps still, and a pen
 * that draws joined dots in braille (2 x 4 a cell) or, on an ASCII canvas, one letter a cell. No state beside the caller's;
 * one thread. Rows and dots count from the top, axis rows from the bottom. */
#ifndef UI_CHART_H
#define UI_CHART_H

#include "ui/canvas.h"

/* The vertical axis. Start with a zeroed one and keep it from frame to frame: that is what keeps it still. */
typedef struct ChartAxis {
    int rows;         /* 0: not chosen yet */
    bool log;         /* base and per_row are powers of ten */
    bool hangs;       /* the top row bears a label (shares, which end at 1), else the bottom row */
    double base;      /* value at the middle of the bottom row */
    double per_row;
    int every, phase; /* linear: rows phase, phase + every, … bear labels */
    int digits;       /* decimals of the labels */
} ChartAxis;

/* Choose limits and labels for values low … high on so many rows, or keep the old ones while they fit and are not much too
 * wide. Linear: steps of 1, 2, 2.5, 3, 4 or 5 times a power of ten; log: labels at 1, 2, 5 and decades where they hit a row.
 * Limits that are no numbers give 0 … 1; low == high is widened. For log both must be above 0. `most` (NaN: none) is a
 * natural upper end, such as 1 for shares. */
void chart_fit(ChartAxis *axis, double low, double high, int rows, bool log, double most);

/* Row of a value, 0 at the middle of the bottom row; not rounded, not cut off. NaN for what cannot be shown. */
double chart_row(const ChartAxis *axis, double value);

/* Label of a row, at most 6 columns; false where none belongs. `percent`: as 100 times the value with a sign. */
bool chart_label(const ChartAxis *axis, int row, bool percent, char out[32]);

/* Draw labels and the axis line at the right end of a gutter of `width` columns. */
void chart_gutter(Canvas *canvas, Rect gutter, Style label, Style line, const ChartAxis *axis, bool percent);

/* Smallest of 1, 2, 5 times a power of ten that is not below n. */
double chart_nice(double n);

/* ---- the pen ---- */

typedef struct ChartPen {
    Canvas *canvas;
    Rect area; /* cells */
    const ChartAxis *axis;
    double x0, x1; /* what the left and right edge stand for */
    Style style;
    char letter; /* on an ASCII canvas */
    int on, off; /* dashes in dots; off 0: solid */
    bool down;   /* joins to the last place */
    int x, y;
} ChartPen;

int chart_columns(const ChartPen *pen); /* dots across */
int chart_column(const ChartPen *pen, double x);
int chart_cell(const ChartPen *pen, double x); /* the same in cells of the canvas */

/* Go to a value and join it to the one before; NaN and infinity lift the pen. */
void chart_to(ChartPen *pen, double x, double value);

/* A range of values at one place, joined to the one before. */
void chart_range(ChartPen *pen, double x, double low, double high, double last);

/* The pen's letter in the cell of a value; none beyond the frame. */
void chart_letter(const ChartPen *pen, double x, double value);

/* One dot. */
void chart_dot(ChartPen *pen, double x, double value);

#endif
