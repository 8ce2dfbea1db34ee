// SPDX-License-Identifier: MIT
/* The curves of one metric: values of single steps faint, their average over steps bold and solid, validation dashed.
 *
 * Average: exponential, over steps (a bucket of n values counts n times, exactly as if each had its mean), divided by
 * 1 - beta^n so that the first values do not pull it to zero; so it does not depend on how many steps a bucket holds.
 * Source: the bias correction of Kingma and Ba 2015, section 3.
 *
 * Validation: the epochs' values on the present line of history; those on lines that a rewind left are single faint dots. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/panels.h"

#define GUTTER 8       /* labels of 6, a blank, the axis */
#define LEAST_TICKS 8  /* rows from which the horizontal axis has labels */
#define LEGEND 17      /* columns: sample, name, value */

typedef struct Curves {
    PanelView *view;
    const TeleSeries *series;
    const Epochs *epochs;
    int metric;
    bool percent;
    double low, high;      /* of all that is drawn */
    bool log;              /* of the loss and its like; shares stay linear */
    bool clipped;          /* there are values that a logarithm cannot show */
    double train, valid;   /* at the right ends; NaN: none */
    bool train_bad;        /* the last values were not finite */
    int64_t first, limit;  /* steps at the edges */
    Rect plot, legend;     /* the legend's: no height while there is none */
} Curves;

/* Metrics of one kind share an ending: "binary_accuracy", "val_accuracy". */
static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

bool curves_percent(const DashState *dash, int metric)
{
    const char *name = telemetry_plan(dash->tele)->metrics[metric];
    return ends_with(name, "accuracy") || ends_with(name, "acc");
}

int curves_metric(const DashState *dash)
{
    int n = telemetry_plan(dash->tele)->n_metrics;
    return dash->metric >= 1 && dash->metric < n ? dash->metric : 1;
}

const char *curves_text(const DashState *dash, int metric, double value, char out[NUMBER_ROOM])
{
    if (curves_percent(dash, metric) && value >= 0 && value <= 1)
        return number_percent(out, value);
    char text[NUMBER_ROOM];
    snprintf(out, NUMBER_ROOM, "%7.7s", number_value(text, value));
    return out;
}

/* ---- what is drawn: averages, epochs ---- */

typedef struct Average {
    double beta, sum, weight;
} Average;

/* As if the bucket's finite values, each equal to their mean, came one by one: beta^n of the old stays. */
static double average_add(Average *average, const TeleBucket *bucket)
{
    double keep = pow(average->beta, (double)(bucket->n - bucket->n_bad));
    average->sum = keep * average->sum + (1 - keep) * (double)bucket->mean;
    average->weight = keep * average->weight + (1 - keep);
    return average->sum / average->weight;
}

/* Between a rewind and the first epoch after it, rows ahead of the present step are left, too. */
static bool on_line(const Curves *c, size_t row)
{
    return !c->epochs->left[row] && c->epochs->steps[row] <= c->view->dash->now.step;
}

/* Limits take in what is drawn; what a logarithm cannot show is only noted. */
static void widen(Curves *c, double value)
{
    if (!isfinite(value))
        return;
    if (c->log && value <= 0) {
        c->clipped = true;
        return;
    }
    c->low = value < c->low ? value : c->low;
    c->high = value > c->high ? value : c->high;
}

/* One pass over everything: limits and the values at the right ends. */
static void measure(Curves *c)
{
    DashState *dash = c->view->dash;
    Average average = { .beta = dash->smooth };
    c->low = (double)INFINITY;
    c->high = -c->low;
    c->train = c->valid = (double)NAN;
    for (int i = 0; i < c->series->n; i++) {
        const TeleBucket *b = &c->series->buckets[i];
        c->train_bad = b->n_bad > 0 && !isfinite(b->mean);
        if (!isfinite(b->mean))
            continue;
        c->train = dash->smooth > 0 ? average_add(&average, b) : (double)b->last;
        widen(c, (double)b->min);
        widen(c, (double)b->max);
    }
    for (size_t i = 0; i < c->epochs->n; i++) {
        double train = epochs_value(c->epochs, i, 0, c->metric), valid = epochs_value(c->epochs, i, 1, c->metric);
        widen(c, valid);
        if (on_line(c, i) && !isnan(valid))
            c->valid = valid;
        if (c->series->n == 0) { /* a run read from files may have no steps, only epochs */
            widen(c, train);
            if (on_line(c, i))
                c->train = train;
        }
    }
}

/* Edges of the horizontal axis: they change seldom, by a factor of about two. */
static void choose_steps(Curves *c)
{
    const DashState *dash = c->view->dash;
    const TelePlan *plan = telemetry_plan(dash->tele);
    int64_t begin = c->series->n ? c->series->buckets[0].first - 1 : 0, epoch = plan->steps_per_epoch;
    int64_t last = dash->now.step > 0 ? dash->now.step : 1;
    if (c->series->n) {
        const TeleBucket *b = &c->series->buckets[c->series->n - 1];
        last = b->first + b->n - 1 > last ? b->first + b->n - 1 : last;
    }
    c->first = begin > last / 2 ? begin : 0; /* a run that was resumed begins late */
    double done = (double)(last - c->first);
    if (epoch > 0) {
        int64_t total = (int64_t)telemetry_last_epoch(plan, &dash->now) * epoch - c->first, nice = (int64_t)chart_nice(ceil(done / (double)epoch)) * epoch;
        c->limit = c->first + (nice < total || total < (int64_t)done ? nice : total);
    } else {
        c->limit = c->first + (int64_t)chart_nice(done);
    }
}

static ChartPen make_pen(const Curves *c, Role role, char letter)
{
    const PanelView *view = c->view;
    return (ChartPen){ .canvas = view->canvas, .area = c->plot, .axis = &view->dash->cache->axes[c->metric], .x0 = (double)c->first,
                       .x1 = (double)c->limit, .style = dash_style(view, role), .letter = letter };
}

/* ---- drawing ---- */

/* Least to most of each bucket: no spike is lost, however many steps a column holds. */
static void draw_raw(const Curves *c, ChartPen pen)
{
    for (int i = 0; i < c->series->n; i++) {
        const TeleBucket *b = &c->series->buckets[i];
        chart_range(&pen, (double)(b->first + b->n - 1), (double)b->min, (double)b->max, (double)b->last);
    }
}

static void draw_average(const Curves *c, ChartPen pen)
{
    Average average = { .beta = c->view->dash->smooth };
    for (int i = 0; i < c->series->n; i++) {
        const TeleBucket *b = &c->series->buckets[i];
        if (isfinite(b->mean))
            chart_to(&pen, (double)(b->first + b->n - 1), average_add(&average, b));
        else
            pen.down = false;
    }
}

/* Where values were no numbers the axis shows it. */
static void draw_bad(const Curves *c, const ChartPen *pen)
{
    for (int i = 0; i < c->series->n; i++) {
        const TeleBucket *b = &c->series->buckets[i];
        if (b->n_bad)
            canvas_put(c->view->canvas, chart_cell(pen, (double)(b->first + b->n - 1)), c->plot.y + c->plot.h - 1,
                       dash_style(c->view, ROLE_TROUBLE), 0xD7);
    }
}

/* Epochs' values, joined; all that fall into one column of dots as one range, so that a hundred thousand cost little. */
static void draw_rows(const Curves *c, ChartPen pen, int part)
{
    ChartPen faint = pen;
    faint.style = dash_style(c->view, ROLE_RAW);
    faint.letter = '.';
    double low = 0, high = 0, last = 0, x = 0;
    int column = -1;
    for (size_t i = 0; i < c->epochs->n; i++) {
        double value = epochs_value(c->epochs, i, part, c->metric), at = (double)c->epochs->steps[i];
        if (isnan(value)) /* an epoch that was not validated */
            continue;
        if (!on_line(c, i)) {
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
    canvas_text_right(view->canvas, view->area.x, y, GUTTER - 2, style, epochs ? "epoch" : "step");
    for (double v = ceil(begin / step) * step; v <= begin + span * (1 + 1e-9); v += step) {
        char text[NUMBER_ROOM];
        number_count(text, (int64_t)v);
        int width = canvas_width(text), x = chart_cell(pen, v * (epochs ? (double)unit : 1)) - (width - 1) / 2;
        x = x + width > c->plot.x + c->plot.w ? c->plot.x + c->plot.w - width : x < c->plot.x ? c->plot.x : x;
        canvas_text(view->canvas, x, y, width, style, text);
    }
}

/* How many cells of a region are taken. */
static int curve_cells(const Curves *c, int x, int y, int w, int h)
{
    int n = 0;
    for (int i = y; i < y + h; i++)
        for (int j = x; j < x + w; j++) {
            const Canvas *canvas = c->view->canvas;
            const Cell *cell = &canvas->cells[(size_t)i * (size_t)canvas->w + (size_t)j];
            n += cell->text[0] != ' ';
        }
    return n;
}

/* A piece of the line, its name and its value, in the line's own colour. */
static void legend_row(const Curves *c, int x, int y, Role role, uint32_t sample, const char *name, double value, bool bad)
{
    Canvas *canvas = c->view->canvas;
    char text[NUMBER_ROOM];
    Style style = dash_style(c->view, role);
    canvas_put(canvas, x, y, style, sample);
    canvas_put(canvas, x + 1, y, style, sample);
    canvas_put(canvas, x + 2, y, style, ' ');
    canvas_text(canvas, x + 3, y, 6, style, name);
    if (bad)
        canvas_text_right(canvas, x + 9, y, 8, dash_style(c->view, ROLE_TROUBLE), "! NaN");
    else
        canvas_text_right(canvas, x + 9, y, 8, style, curves_text(c->view->dash, c->metric, value, text));
}

/* On a projector the values stand in large letters; false where there is no room for them. */
static bool draw_big_values(const Curves *c)
{
    Canvas *canvas = c->view->canvas;
    const double values[] = { c->train, c->valid };
    const Role roles[] = { ROLE_TRAIN, ROLE_VALID };
    static const char *const names[] = { "train", "valid" };
    int n = isnan(c->valid) ? 1 : 2, widest = 0;
    char texts[2][NUMBER_ROOM];
    for (int i = 0; i < n; i++) {
        if (c->percent && values[i] >= 0 && values[i] <= 1)
            number_fixed(texts[i], 100 * values[i], 1);
        else if (values[i] >= 0.01 && values[i] < 10)
            number_fixed(texts[i], values[i], 3);
        else
            number_short(texts[i], values[i]);
        if (c->percent)
            strcat(texts[i], " %");
        widest = (int)strlen(texts[i]) > (int)strlen(texts[widest]) ? i : widest;
    }
    bool large = canvas->ascii || (bigtype_width(texts[widest], true) <= c->plot.w / 2 && 2 * n * (BIGTYPE_ROWS(true) + 2) <= c->plot.h);
    int w = bigtype_width(texts[widest], large), h = BIGTYPE_ROWS(large) + 1;
    if (w > c->plot.w * 2 / 3 || n * h > c->plot.h * 2 / 3)
        return false;
    int y = c->metric == 0 ? c->plot.y : c->plot.y + c->plot.h - n * h, right = c->plot.x + c->plot.w;
    for (int i = 0; i < n; i++, y += h) {
        Style style = dash_style(c->view, roles[i]);
        canvas_text_right(canvas, right - w, y, w, style, names[i]);
        bigtype_draw(canvas, right - bigtype_width(texts[i], large), y + 1, style, texts[i], large);
    }
    return true;
}

/* In the right corner that the curves leave free: falling ones the upper, rising ones the lower. */
static void draw_legend(Curves *c)
{
    bool valid = !isnan(c->valid);
    int h = 1 + valid, x = c->plot.x + c->plot.w - LEGEND, top = c->plot.y, bottom = c->plot.y + c->plot.h - h;
    if (c->plot.w < LEGEND + 4 || c->plot.h < h + 1 || (c->view->dash->big && !c->train_bad && draw_big_values(c)))
        return;
    int above = curve_cells(c, x, top, LEGEND, h), below = curve_cells(c, x, bottom, LEGEND, h);
    int y = c->metric == 0 ? (above > 2 * h && below < above ? bottom : top) : (below > 2 * h && above < below ? top : bottom);
    c->legend = (Rect){ x - 1, y, LEGEND + 1, h };
    bool ascii = c->view->canvas->ascii;
    legend_row(c, x, y, ROLE_TRAIN, ascii ? '*' : 0x2500, "train ", c->train, c->train_bad);
    if (valid)
        legend_row(c, x, y + 1, ROLE_VALID, ascii ? 'o' : 0x254C, "valid ", c->valid, false);
}

static bool is_blank(const Curves *c, int x, int y, int w)
{
    const Canvas *canvas = c->view->canvas;
    if (y >= c->legend.y && y < c->legend.y + c->legend.h && x + w > c->legend.x && x < c->legend.x + c->legend.w)
        return false;
    for (int i = 0; i < w; i++)
        if (canvas->cells[(size_t)y * (size_t)canvas->w + (size_t)(x + i)].text[0] != ' ')
            return false;
    return true;
}

/* Changes by the user: dotted lines behind the curves, each with its label in the first row where there is room beside it. */
static void draw_marks(const Curves *c, const ChartPen *pen)
{
    const Telemetry *tele = c->view->dash->tele;
    Canvas *canvas = c->view->canvas;
    Style style = dash_style(c->view, ROLE_MARK);
    for (size_t i = 0; i < c->epochs->n_marks; i++) {
        const Fact *fact = telemetry_fact(tele, c->epochs->marks[i]);
        if (fact->step < c->first || fact->step > c->limit)
            continue;
        int x = chart_cell(pen, (double)fact->step), width = canvas_width(fact->label), right = c->plot.x + c->plot.w;
        bool labelled = width == 0;
        for (int y = c->plot.y; y < c->plot.y + c->plot.h; y++) {
            if (is_blank(c, x, y, 1))
                canvas_put(canvas, x, y, style, 0x250A);
            for (int left = 0; left < 2 && !labelled; left++) { /* to the right of its line, else to the left */
                int at = left ? x - width : x + 1;
                labelled = at >= c->plot.x && at + width <= right && is_blank(c, at, y, width);
                if (labelled)
                    canvas_text(canvas, at, y, width, style, fact->label);
            }
        }
    }
}

static void say(const PanelView *view, const char *text)
{
    words_draw(view->canvas, view->area.x + 2, view->area.y + view->area.h / 2, view->area.w - 4, view->area.h, dash_style(view, ROLE_LABEL), text);
}

/* Axes, marks and curves, those that matter most last. */
static void draw_all(Curves *c)
{
    PanelView *view = c->view;
    DashState *dash = view->dash;
    Rect a = view->area;
    bool ticks = a.h >= LEAST_TICKS;
    c->plot = (Rect){ a.x + GUTTER, a.y, a.w - GUTTER - 1, a.h - ticks };
    ChartAxis *axis = &dash->cache->axes[c->metric];
    chart_fit(axis, c->low, c->high, c->plot.h, c->log, c->percent ? 1 : (double)NAN);
    chart_gutter(view->canvas, (Rect){ a.x, a.y, GUTTER, c->plot.h }, dash_style(view, ROLE_LABEL), dash_style(view, ROLE_BORDER), axis, c->percent);
    ChartPen train = make_pen(c, ROLE_TRAIN, '*'), raw = make_pen(c, ROLE_RAW, '.'), valid = make_pen(c, ROLE_VALID, 'o');
    valid.on = 4; /* two cells, and one in which the training curve shows through */
    valid.off = 2;
    if (ticks)
        draw_ticks(c, &train, a.y + a.h - 1);
    if (dash->smooth > 0)
        draw_raw(c, raw);
    if (c->series->n == 0)
        draw_rows(c, train, 0);
    else if (dash->smooth > 0)
        draw_average(c, train);
    else
        draw_raw(c, train);
    draw_rows(c, valid, 1);
    draw_bad(c, &train);
    if (c->clipped)
        canvas_text(view->canvas, c->plot.x + 1, c->plot.y + c->plot.h - 1, c->plot.w - 1, dash_style(view, ROLE_TROUBLE),
                    "! values of 0 and less are below the logarithm");
    draw_legend(c);
    draw_marks(c, &train);
}

void curves_draw(PanelView *view, int metric)
{
    DashState *dash = view->dash;
    if (!dash->cache) {
        say(view, "No memory for the curves; the training goes on.");
        return;
    }
    Curves c = { .view = view, .series = &dash->cache->series[metric], .epochs = &dash->cache->epochs, .metric = metric, .percent = curves_percent(dash, metric) };
    c.log = dash->log_scale && !c.percent;
    measure(&c);
    if (c.series->n == 0 && isnan(c.train)) {
        say(view, "The first step has not been made yet.");
        return;
    }
    choose_steps(&c);
    draw_all(&c);
}

void curves_caption(const DashState *dash, int metric, int room, char state[DASH_CAPTION])
{
    char smooth[NUMBER_ROOM];
    int n = 0;
    if (dash->log_scale && !curves_percent(dash, metric))
        n = snprintf(state, DASH_CAPTION, "log");
    if (dash->smooth > 0 && room >= 24)
        snprintf(state + n, DASH_CAPTION - (size_t)n, "%ssmooth %s", n ? " · " : "", number_short(smooth, dash->smooth));
}
