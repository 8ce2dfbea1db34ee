// SPDX-License-Identifier: MIT
/* Curves: values of single steps faint, their average over steps bold and solid, validation dashed.
 *
 * Average: exponential, over steps (a bucket of n values counts n times, exactly as if each had its mean), divided by
 * 1 - beta^n so that the first values do not pull it to zero; so it does not depend on how many steps a bucket holds.
 * Source: the bias correction of Kingma and Ba 2015, section 3.
 *
 * Validation: the epochs' values on the present line of history; those on lines that a rewind left are single faint dots.
 * Several metrics in one chart have colours of their own and letters along their curves; where there are no colours the
 * letter o stands on validation's curve, so that the two are told apart where they run together. */
#include "ui/curves.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/keys.h"

#define LEAST_TICKS 8   /* rows from which the horizontal axis has labels */
#define LETTER_EVERY 16 /* columns between letters on a curve */

static bool is_share(const char *name)
{
    const char *word = kinds_word(name);
    return strcmp(word, "accuracy") == 0 || strcmp(word, "acc") == 0;
}

bool curves_percent(const DashState *dash, int metric)
{
    const TelePlan *plan = telemetry_plan(dash->tele);
    return metric < plan->n_metrics && is_share(plan->metrics[metric]);
}

const char *curves_text(const DashState *dash, int metric, double value, char out[NUMBER_ROOM])
{
    char text[NUMBER_ROOM];
    if (curves_percent(dash, metric) && value >= 0 && value <= 1)
        return number_percent(out, value);
    if (metric == telemetry_plan(dash->tele)->n_metrics)
        snprintf(out, NUMBER_ROOM, "%8.8s", number_plain(text, value));
    else
        snprintf(out, NUMBER_ROOM, "%7.7s", number_value(text, value));
    return out;
}

/* ---- what is drawn ---- */

double average_add(Average *average, const TeleBucket *bucket)
{
    double keep = pow(average->beta, (double)(bucket->n - bucket->n_bad));
    average->sum = keep * average->sum + (1 - keep) * (double)bucket->mean;
    average->weight = keep * average->weight + (1 - keep);
    return average->sum / average->weight;
}

/* Between a rewind and the first epoch after it, rows ahead of the present step are left, too. */
bool curves_on_line(const Curves *c, size_t row)
{
    return !c->epochs->left[row] && c->epochs->steps[row] <= c->view->dash->now.step;
}

ChartPen curves_pen(const Curves *c, Role role, char letter)
{
    const PanelView *view = c->view;
    return (ChartPen){ .canvas = view->canvas, .area = c->plot, .axis = c->axis, .x0 = (double)c->first, .x1 = (double)c->limit,
                       .style = dash_style(view, role), .letter = letter };
}

/* One metric has the colours of training and validation, several have their own. */
static void add_line(Curves *c, int metric)
{
    const DashState *dash = c->view->dash;
    const TelePlan *plan = telemetry_plan(dash->tele);
    bool one = c->what.n == 1, rate = metric == plan->n_metrics;
    Role own = (Role)(ROLE_SERIES_1 + c->n);
    c->lines[c->n] = (CurveLine){ .metric = metric, .series = &dash->cache->series[metric], .name = rate ? "lr" : plan->metrics[metric], .rate = rate,
                                  .role = one ? ROLE_TRAIN : own, .valid_role = one ? ROLE_VALID : own, .letter = (char)('a' + c->n) };
    c->percent = (c->n == 0 || c->percent) && curves_percent(dash, metric);
    c->n++;
}

/* ---- drawing ---- */

static double bucket_end(const TeleBucket *b)
{
    return (double)(b->first + b->n - 1);
}

/* Least to most of each bucket: no spike is lost, however many steps a column holds. */
static void draw_raw(const TeleSeries *series, ChartPen pen)
{
    for (int i = 0; i < series->n; i++) {
        const TeleBucket *b = &series->buckets[i];
        chart_range(&pen, bucket_end(b), (double)b->min, (double)b->max, (double)b->last);
    }
}

static void draw_average(const Curves *c, const TeleSeries *series, ChartPen pen)
{
    Average average = { .beta = c->view->dash->smooth };
    for (int i = 0; i < series->n; i++) {
        const TeleBucket *b = &series->buckets[i];
        if (isfinite(b->mean))
            chart_to(&pen, bucket_end(b), average_add(&average, b));
        else
            pen.down = false;
    }
}

/* Where values were no numbers the axis shows it. */
static void draw_bad(const Curves *c, const TeleSeries *series)
{
    ChartPen pen = curves_pen(c, ROLE_TROUBLE, 'x');
    for (int i = 0; i < series->n; i++) {
        const TeleBucket *b = &series->buckets[i];
        if (b->n_bad)
            canvas_put(c->view->canvas, chart_cell(&pen, bucket_end(b)), c->plot.y + c->plot.h - 1, pen.style, 0xD7);
    }
}

/* Epochs' values, joined; all that fall into one column of dots as one range, so that a hundred thousand cost little. */
static void draw_rows(const Curves *c, int metric, ChartPen pen, int part)
{
    ChartPen faint = pen;
    faint.style = dash_style(c->view, ROLE_RAW);
    faint.letter = '.';
    double low = 0, high = 0, last = 0, x = 0;
    int column = -1;
    for (size_t i = 0; i < c->epochs->n; i++) {
        double value = epochs_value(c->epochs, i, part, metric), at = (double)c->epochs->steps[i];
        if (isnan(value)) /* an epoch that was not validated */
            continue;
        if (!curves_on_line(c, i)) {
            chart_dot(&faint, at, value);
            continue;
        }
        int here = chart_column(&pen, at);
        bool same = here == column && isfinite(value) && isfinite(last);
        if (!same && column >= 0)
            chart_range(&pen, x, low, high, last);
        low = same && low < value ? low : value;
        high = same && high > value ? high : value;
        last = value;
        x = at;
        column = here;
    }
    if (column >= 0)
        chart_range(&pen, x, low, high, last);
}

/* ---- letters: the second cue ---- */

/* The next cell of the plot from which a letter may stand again. */
static bool letter_due(const Curves *c, const ChartPen *pen, double at, int *next, int every)
{
    int x = chart_cell(pen, at) - c->plot.x;
    if (x < *next)
        return false;
    *next = x + every;
    return true;
}

static void letters_on_average(const Curves *c, const CurveLine *line, const ChartPen *pen, int next)
{
    double smooth = line->rate ? 0 : c->view->dash->smooth;
    Average average = { .beta = smooth };
    for (int i = 0; i < line->series->n; i++) {
        const TeleBucket *b = &line->series->buckets[i];
        if (!isfinite(b->mean))
            continue;
        double value = smooth > 0 ? average_add(&average, b) : (double)b->last;
        if (letter_due(c, pen, bucket_end(b), &next, LETTER_EVERY))
            chart_letter(pen, bucket_end(b), value);
    }
}

static void letters_on_rows(const Curves *c, int metric, const ChartPen *pen, int part, int next, int every)
{
    for (size_t i = 0; i < c->epochs->n; i++) {
        double value = epochs_value(c->epochs, i, part, metric), at = (double)c->epochs->steps[i];
        if (!isnan(value) && curves_on_line(c, i) && letter_due(c, pen, at, &next, every))
            chart_letter(pen, at, value);
    }
}

static void draw_letters(const Curves *c, int i)
{
    const CurveLine *line = &c->lines[i];
    int begin = 2 + i * LETTER_EVERY / CURVES_MOST;
    if (c->n > 1) {
        ChartPen pen = curves_pen(c, line->role, line->letter);
        if (line->series->n)
            letters_on_average(c, line, &pen, begin);
        else
            letters_on_rows(c, line->metric, &pen, 0, begin, LETTER_EVERY);
    } else if (c->view->theme->depth == DEPTH_NONE && !line->rate) {
        ChartPen pen = curves_pen(c, line->valid_role, 'o');
        letters_on_rows(c, line->metric, &pen, 1, 0, LETTER_EVERY / 4);
    }
}

/* ---- all ---- */

/* Epochs (or steps, while there is only one epoch) under the plot. */
static void draw_ticks(const Curves *c, const ChartPen *pen, int y)
{
    const PanelView *view = c->view;
    int64_t unit = telemetry_plan(view->dash->tele)->steps_per_epoch;
    bool epochs = unit > 0 && c->limit - c->first > unit;
    double span = (double)(c->limit - c->first) / (epochs ? (double)unit : 1), begin = (double)c->first / (epochs ? (double)unit : 1);
    double step = 1;
    while (span / step * 8 > c->plot.w) /* eight columns for each label at least */
        step = chart_nice(step * 1.01);
    Style style = dash_style(view, ROLE_LABEL);
    canvas_text_right(view->canvas, view->area.x, y, CURVES_GUTTER - 2, style, epochs ? "epoch" : "step");
    for (double v = ceil(begin / step) * step; v <= begin + span * (1 + 1e-9); v += step) {
        char text[NUMBER_ROOM];
        number_count(text, (int64_t)v);
        int width = canvas_width(text), x = chart_cell(pen, v * (epochs ? (double)unit : 1)) - (width - 1) / 2;
        x = x + width > c->plot.x + c->plot.w ? c->plot.x + c->plot.w - width : x < c->plot.x ? c->plot.x : x;
        canvas_text(view->canvas, x, y, width, style, text);
    }
}

static void say(const PanelView *view, const char *text)
{
    words_draw(view->canvas, view->area.x + 2, view->area.y + view->area.h / 2, view->area.w - 4, view->area.h, dash_style(view, ROLE_LABEL), text);
}

/* Single values faint and only where one metric has the chart, the average over them, validation above both. */
static void draw_line(const Curves *c, const CurveLine *line)
{
    bool one = c->n == 1, average = c->view->dash->smooth > 0 && !line->rate;
    ChartPen train = curves_pen(c, line->role, one ? '*' : line->letter), valid = curves_pen(c, line->valid_role, one ? 'o' : line->letter);
    valid.on = 4; /* two cells, and one in which the training curve shows through */
    valid.off = 2;
    if (average && one)
        draw_raw(line->series, curves_pen(c, ROLE_RAW, '.'));
    if (line->series->n == 0 && !line->rate)
        draw_rows(c, line->metric, train, 0);
    else if (average)
        draw_average(c, line->series, train);
    else
        draw_raw(line->series, train);
    if (!line->rate)
        draw_rows(c, line->metric, valid, 1);
    draw_bad(c, line->series);
}

/* Axes, curves and what is said about them, that which matters most last. */
static void draw_all(Curves *c)
{
    PanelView *view = c->view;
    Rect a = view->area;
    bool ticks = a.h >= LEAST_TICKS;
    c->plot = (Rect){ a.x + CURVES_GUTTER, a.y, a.w - CURVES_GUTTER - 1, a.h - ticks };
    chart_fit(c->axis, c->bottom, c->top, c->plot.h, c->log, c->percent ? 1 : (double)NAN);
    chart_gutter(view->canvas, (Rect){ a.x, a.y, CURVES_GUTTER, c->plot.h }, dash_style(view, ROLE_LABEL), dash_style(view, ROLE_BORDER), c->axis, c->percent);
    ChartPen pen = curves_pen(c, ROLE_LABEL, ' ');
    if (ticks)
        draw_ticks(c, &pen, a.y + a.h - 1);
    for (int i = c->n - 1; i >= 0; i--)
        draw_line(c, &c->lines[i]);
    for (int i = 0; i < c->n; i++)
        draw_letters(c, i);
    if (c->clipped)
        canvas_text(view->canvas, c->plot.x + 1, c->plot.y + c->plot.h - 1, c->plot.w - 1, dash_style(view, ROLE_TROUBLE),
                    "! values of 0 and less are below the logarithm");
    legend_draw(c);
    legend_outside(c);
    legend_marks(c);
}

void curves_draw(PanelView *view, bool second)
{
    DashState *dash = view->dash;
    int at, n;
    if (!dash->cache) {
        say(view, "No memory for the curves; the training goes on.");
        return;
    }
    Curves c = { .view = view, .epochs = &dash->cache->epochs };
    kinds_view(dash, second, &c.what, &at, &n);
    c.axis = &dash->cache->axes[c.what.axis];
    for (int i = 0; i < c.what.n; i++)
        add_line(&c, c.what.metrics[i]);
    c.log = dash->log_scale && !c.percent;
    if (!curves_measure(&c)) {
        say(view, c.lines[0].rate ? "The learning rate of each step is not known." : "The first step has not been made yet.");
        return;
    }
    curves_steps(&c);
    draw_all(&c);
}

void curves_caption(const DashState *dash, bool second, bool focused, int room, char title[DASH_CAPTION], char state[DASH_CAPTION])
{
    CurveView what;
    char smooth[NUMBER_ROOM];
    int at, views, n = 0;
    kinds_view(dash, second, &what, &at, &views);
    snprintf(title, DASH_CAPTION, "%s", what.title);
    if (focused) {
        snprintf(state, DASH_CAPTION, room >= 40 ? "%d of %d · m shows the next" : "%d of %d", at + 1, views);
        return;
    }
    bool percent = true, rate = what.metrics[0] == telemetry_plan(dash->tele)->n_metrics;
    for (int i = 0; i < what.n; i++)
        percent = percent && curves_percent(dash, what.metrics[i]);
    if (dash->whole)
        n = snprintf(state, DASH_CAPTION, "whole range");
    else if (dash->log_scale && !percent)
        n = snprintf(state, DASH_CAPTION, "log");
    if (dash->smooth > 0 && room >= 24 && !rate)
        snprintf(state + n, DASH_CAPTION - (size_t)n, "%ssmooth %s", n ? " · " : "", number_short(smooth, dash->smooth));
}

bool curves_key(DashState *dash, bool second, int code)
{
    int by = code == KEY_RIGHT ? 1 : code == KEY_LEFT ? -1 : 0;
    if (!dash->tele || by == 0)
        return false;
    dash->turned[second] += by;
    return true;
}
