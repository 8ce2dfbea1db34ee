// SPDX-License-Identifier: MIT
/* Axis. A label must stand in the middle of a row, so the axis is chosen as: rows between labels (r) and a nice step (s);
 * then a row is worth s / r and the bottom (or top) row is a multiple of s. Among all that hold the data the one with the
 * finest row wins, with a handicap for crowded labels and for steps of 3 and 4. On a logarithmic axis a row is worth 1 / R decades, and those of 1, 2, 5, 10 … that come to lie within
 * an eighth of a row of its middle get labels.
 *
 * Pen. Points are joined by Bresenham's line in dots; dashes are counted in absolute dots along the steeper direction, so
 * that they do not crawl when the curve grows. */
#include "ui/chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/number.h"

/* ---- axis ---- */

/* The middle of a row is its value; half a row lies above and below. */
static double bottom_edge(const ChartAxis *axis)
{
    return axis->base - 0.5 * axis->per_row;
}

static double top_edge(const ChartAxis *axis)
{
    return axis->base + (axis->rows - 0.5) * axis->per_row;
}

/* Limits are equal up to the last digits that can be told apart. */
static bool holds(const ChartAxis *axis, double low, double high)
{
    double slack = 1e-9 * (fabs(low) + fabs(high));
    return bottom_edge(axis) <= low + slack && top_edge(axis) >= high - slack;
}

/* Try labels every r rows, s apart; keep it when its rows are finer than the best. */
static void try_linear(ChartAxis *best, double *best_score, double low, double high, int rows, int r, double s, int digits, double odd, double most)
{
    ChartAxis axis = { .rows = rows, .per_row = s / r, .every = r, .digits = digits, .hangs = !isnan(most) };
    if (axis.hangs) {
        double top = ceil((high - 0.5 * axis.per_row) / s - 1e-9) * s;
        axis.base = top - (rows - 1) * axis.per_row;
        axis.phase = (rows - 1) % r;
    } else {
        axis.base = floor((low + 0.5 * axis.per_row) / s + 1e-9) * s;
    }
    double score = axis.per_row * (r == 1 ? 1.2 : 1) * odd; /* a label on every row only where it gains much */
    if (score < *best_score && holds(&axis, low, high)) {
        *best = axis;
        *best_score = score;
    }
}

static ChartAxis fit_linear(double low, double high, int rows, double most)
{
    ChartAxis best = { .rows = rows, .per_row = 1, .every = 1 };
    double best_score = (double)INFINITY;
    int least = rows / 6 > 1 ? rows / 6 : 1, widest = rows > 3 ? rows / 2 : 1;
    int power = (int)floor(log10((high - low) / rows)) - 1;
    for (int p = power; p <= power + 4; p++) {
        static const double steps[] = { 1, 2, 5, 2.5, 4, 3 };
        for (int i = 0; i < 6; i++)
            for (int r = least; r <= widest; r++)
                try_linear(&best, &best_score, low, high, rows, r, steps[i] * pow(10, p), p >= 1 ? 0 : -p + (i == 3), i > 3 ? 1.15 : 1, most);
    }
    if (isinf(best_score)) { /* only for limits at the end of what a double can tell apart */
        best.base = low;
        best.per_row = (high - low) / rows * 1.5;
    }
    return best;
}

/* log10 of the i-th of 1, 2, 5, 10, 20, 50, … ; i may be negative. */
static double decade(int i)
{
    static const double parts[] = { 0, 0.301029995663981, 0.698970004336019 };
    int power = i >= 0 ? i / 3 : -((2 - i) / 3);
    return power + parts[i - 3 * power];
}

static int decade_below(double log_value)
{
    int i = 3 * (int)floor(log_value);
    while (decade(i + 1) <= log_value + 1e-9)
        i++;
    return i;
}

/* The nearest of 1, 2, 5 … to the middle of a row, if it is there; its number in *i. */
static bool on_row(const ChartAxis *axis, int row, int *i)
{
    double middle = axis->base + row * axis->per_row;
    *i = decade_below(middle + 0.13 * axis->per_row);
    if (fabs(decade(*i) - middle) > 0.13 * axis->per_row)
        return false;
    return axis->per_row <= 0.34 || (*i % 3 == 0); /* two labels may not fall on one row */
}

/* How many labels there are with rows of this height; 0 when the axis would not hold the data. */
static int try_log(ChartAxis *axis, double low, double high, int rows, double per_row)
{
    *axis = (ChartAxis){ .rows = rows, .log = true, .per_row = per_row };
    int i = decade_below(low + 0.5 * per_row);
    axis->base = decade(per_row > 0.34 ? i - ((i % 3) + 3) % 3 : i);
    int labels = 0, unused;
    for (int row = 0; row < rows; row++)
        labels += on_row(axis, row, &unused);
    return holds(axis, low, high) ? labels : 0;
}

/* The finest rows that have two labels, or somewhat coarser ones that have more. */
static ChartAxis fit_log(double low, double high, int rows)
{
    ChartAxis axis, best = { .rows = rows, .log = true, .base = floor(low), .per_row = ceil(high - low + 1) };
    int labels, most = 1, finest = 0;
    for (int n = 60; n >= 1 && (finest == 0 || 4 * n >= 3 * finest); n--)
        if ((labels = try_log(&axis, low, high, rows, 1.0 / n)) > most) {
            finest = finest ? finest : n;
            most = labels;
            best = axis;
        }
    for (int n = 2; n < 700 && most < 2; n++)
        if ((labels = try_log(&axis, low, high, rows, n)) > most) {
            most = labels;
            best = axis;
        }
    return best;
}

void chart_fit(ChartAxis *axis, double low, double high, int rows, bool log, double most)
{
    if (!isfinite(low) || !isfinite(high) || low > high || (log && low <= 0)) {
        low = log ? 0.1 : 0;
        high = 1;
    }
    if (log) {
        low = log10(low);
        high = log10(high);
    }
    low = fmin(fmax(low, -1e300), 1e300); /* so that differences are numbers */
    high = fmin(fmax(high, -1e300), 1e300);
    double size = fmax(fabs(low), fabs(high));
    if (high - low <= 1e-9 * size || high - low < 1e-280) { /* one value: show what is around it */
        double around = log ? 0.3 : size > 1e-270 ? 0.1 * size : 1;
        low -= log || low < 0 || high > 0 ? around : 0;
        high += around;
        if (!log && high > most && most >= low)
            high = most;
    }
    bool hangs = !log && !isnan(most) && high <= most;
    ChartAxis fresh = log ? fit_log(low, high, rows) : fit_linear(low, high, rows, hangs ? most : (double)NAN);
    /* keep still: only data that leaves the axis, or one more than twice too wide, moves it */
    bool fits = axis->rows == rows && axis->log == log && axis->hangs == fresh.hangs && holds(axis, low, high);
    if (!fits || axis->per_row > 2.2 * fresh.per_row)
        *axis = fresh;
}

double chart_row(const ChartAxis *axis, double value)
{
    if (!isfinite(value) || (axis->log && value <= 0))
        return (double)NAN;
    return ((axis->log ? log10(value) : value) - axis->base) / axis->per_row;
}

/* Six columns at most: fewer digits where more do not fit. */
static void short_label(double value, char out[32])
{
    number_short(out, value);
    if (strlen(out) > 6) {
        char rough[32];
        snprintf(rough, sizeof rough, "%.0e", value);
        number_short(out, strtod(rough, NULL));
    }
}

bool chart_label(const ChartAxis *axis, int row, bool percent, char out[32])
{
    if (row < 0 || row >= axis->rows)
        return false;
    if (axis->log) {
        int i;
        if (!on_row(axis, row, &i))
            return false;
        int power = i >= 0 ? i / 3 : -((2 - i) / 3), digit = i - 3 * power;
        char text[64];
        snprintf(text, sizeof text, "%de%d", digit == 0 ? 1 : digit == 1 ? 2 : 5, power);
        short_label(strtod(text, NULL), out);
        return true;
    }
    if (axis->every < 1 || (row - axis->phase) % axis->every)
        return false;
    double value = axis->base + row * axis->per_row;
    if (axis->hangs && value < -1e-9) /* shares have a lower end, too */
        return false;
    if (fabs(value) < 1e-6 * axis->per_row)
        value = 0;
    int digits = axis->digits;
    if (percent) {
        number_fixed(out, 100 * value, digits > 2 ? digits - 2 : 0);
        strcat(out, "%");
    } else if (digits > 4 || fabs(value) >= 1e6) {
        short_label(value, out);
    } else {
        number_fixed(out, value, digits);
        if (strlen(out) > 6)
            short_label(value, out);
    }
    return true;
}

void chart_gutter(Canvas *canvas, Rect gutter, Style label, Style line, const ChartAxis *axis, bool percent)
{
    int x = gutter.x + gutter.w - 1;
    for (int y = 0; y < gutter.h; y++) {
        char text[32];
        bool has = chart_label(axis, gutter.h - 1 - y, percent, text);
        if (has)
            canvas_text_right(canvas, gutter.x, gutter.y + y, gutter.w - 2, label, text);
        canvas_put(canvas, x, gutter.y + y, line, has ? 0x2524 : 0x2502);
    }
}

double chart_nice(double n)
{
    if (!(n > 1))
        return 1;
    double power = pow(10, floor(log10(n)));
    static const double steps[] = { 1, 2, 5, 10 };
    for (int i = 0; i < 4; i++)
        if (steps[i] * power >= n * (1 - 1e-12))
            return steps[i] * power;
    return 10 * power;
}

/* ---- pen ---- */

static int dots_across(const ChartPen *pen)
{
    return pen->canvas->ascii ? 1 : 2;
}

static int dots_down(const ChartPen *pen)
{
    return pen->canvas->ascii ? 1 : 4;
}

int chart_columns(const ChartPen *pen)
{
    return pen->area.w * dots_across(pen);
}

int chart_column(const ChartPen *pen, double x)
{
    double part = pen->x1 > pen->x0 ? (x - pen->x0) / (pen->x1 - pen->x0) : 0;
    part = part > 0 ? (part < 1 ? part : 1) : 0;
    return (int)(part * (chart_columns(pen) - 1) + 0.5);
}

int chart_cell(const ChartPen *pen, double x)
{
    return pen->area.x + chart_column(pen, x) / dots_across(pen);
}

/* Dot line of a value, cut off at the edges; -1 for what cannot be shown. */
static int dot_line(const ChartPen *pen, double value)
{
    double row = chart_row(pen->axis, value);
    if (isnan(row)) { /* nothing and less lie below every power of ten */
        if (!pen->axis->log || !isfinite(value))
            return -1;
        row = -1;
    }
    double y = (pen->area.h - 0.5 - row) * dots_down(pen);
    int last = pen->area.h * dots_down(pen) - 1;
    return y <= 0 ? 0 : y >= last ? last : (int)y;
}

/* Braille numbers its dots down the left column, then the right, with the lowest two last. */
static void put_dot(const ChartPen *pen, int x, int y)
{
    static const uint8_t bits[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };
    if (pen->canvas->ascii)
        canvas_put(pen->canvas, pen->area.x + x, pen->area.y + y, pen->style, (unsigned char)pen->letter);
    else
        canvas_dots(pen->canvas, pen->area.x + x / 2, pen->area.y + y / 4, pen->style, bits[y & 3][x & 1]);
}

static bool is_on(const ChartPen *pen, int at)
{
    return pen->off == 0 || pen->canvas->ascii || at % (pen->on + pen->off) < pen->on;
}

/* Source: Bresenham 1965, with an error term that serves all octants. */
static void line_to(ChartPen *pen, int x, int y)
{
    int dx = abs(x - pen->x), dy = abs(y - pen->y), sx = x > pen->x ? 1 : -1, sy = y > pen->y ? 1 : -1;
    int error = dx - dy;
    for (;;) {
        if (is_on(pen, dx >= dy ? pen->x : pen->y))
            put_dot(pen, pen->x, pen->y);
        if (pen->x == x && pen->y == y)
            return;
        int twice = 2 * error;
        if (twice > -dy) {
            error -= dy;
            pen->x += sx;
        }
        if (twice < dx) {
            error += dx;
            pen->y += sy;
        }
    }
}

static void go(ChartPen *pen, int x, int y)
{
    if (!pen->down) {
        pen->x = x;
        pen->y = y;
        put_dot(pen, x, y); /* the first point shows, whatever the dashes say */
    }
    pen->down = true;
    line_to(pen, x, y);
}

void chart_to(ChartPen *pen, double x, double value)
{
    int y = dot_line(pen, value);
    if (y < 0)
        pen->down = false;
    else
        go(pen, chart_column(pen, x), y);
}

/* Up and down the range, coming from the nearer end; the next join starts at the last value. */
void chart_range(ChartPen *pen, double x, double low, double high, double last)
{
    int y0 = dot_line(pen, low), y1 = dot_line(pen, high), column = chart_column(pen, x);
    if (y0 < 0 || y1 < 0) {
        pen->down = false;
        return;
    }
    bool from_above = pen->down && pen->y < y1;
    go(pen, column, from_above ? y1 : y0);
    go(pen, column, from_above ? y0 : y1);
    pen->y = dot_line(pen, last);
}

void chart_dot(ChartPen *pen, double x, double value)
{
    int y = dot_line(pen, value);
    if (y >= 0)
        put_dot(pen, chart_column(pen, x), y);
}

void chart_letter(const ChartPen *pen, double x, double value)
{
    double row = chart_row(pen->axis, value);
    int y = isnan(row) ? -1 : (int)floor(row + 0.5);
    if (y >= 0 && y < pen->area.h)
        canvas_put(pen->canvas, chart_cell(pen, x), pen->area.y + pen->area.h - 1 - y, pen->style, (unsigned char)pen->letter);
}
