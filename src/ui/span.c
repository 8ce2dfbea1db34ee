// SPDX-License-Identifier: MIT
/* What a chart must hold. All of it, as a rule; but where the frame would be more than SPREAD times as high as 95 of 100
 * values need, those few are left outside, and a sign says so (legend_outside). The values at the right ends are always
 * inside. A logarithm, and the view of the whole range, hold everything. */
#include <math.h>

#include "ui/curves.h"

#define SPREAD 2.5
#define QUANTILE 0.95
#define LEAST_VALUES 20 /* below that nothing is an exception */

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

static void hold(Curves *c, double value)
{
    if (!isfinite(value) || (c->log && value <= 0))
        return;
    c->bottom = value < c->bottom ? value : c->bottom;
    c->top = value > c->top ? value : c->top;
}

/* The k-th smallest; the values are moved about. Source: Hoare 1961, algorithm 65. */
static double select_value(float *values, int n, int k)
{
    int left = 0, right = n - 1;
    while (left < right) {
        float pivot = values[(left + right) / 2];
        int i = left, j = right;
        while (i <= j) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i <= j) {
                float swap = values[i];
                values[i++] = values[j];
                values[j--] = swap;
            }
        }
        if (k <= j)
            right = j;
        else if (k >= i)
            left = i;
        else
            break;
    }
    return (double)values[k];
}

/* The frame holds the middle of some highest and lowest values; all of them when there are few. */
static void hold_most(Curves *c, float *lows, float *highs, int n)
{
    int cut = n < LEAST_VALUES ? 0 : (int)((1 - QUANTILE) * n);
    if (n == 0)
        return;
    hold(c, select_value(lows, n, cut));
    hold(c, select_value(highs, n, n - 1 - cut));
}

static void measure_steps(Curves *c, CurveLine *line)
{
    float lows[TELE_BUCKETS], highs[TELE_BUCKETS];
    int n = 0;
    double smooth = line->rate ? 0 : c->view->dash->smooth;
    Average average = { .beta = smooth };
    for (int i = 0; i < line->series->n; i++) {
        const TeleBucket *b = &line->series->buckets[i];
        line->bad = b->n_bad > 0 && !isfinite(b->mean);
        if (!isfinite(b->mean))
            continue;
        line->train = smooth > 0 ? average_add(&average, b) : (double)b->last;
        widen(c, (double)b->min);
        widen(c, (double)b->max);
        lows[n] = b->min;
        highs[n++] = b->max;
    }
    hold_most(c, lows, highs, n);
    hold(c, line->train);
}

/* Rows of epochs: of a hundred thousand a part will do. */
static void measure_rows(Curves *c, CurveLine *line, int part)
{
    float lows[TELE_BUCKETS], highs[TELE_BUCKETS];
    size_t stride = 1 + c->epochs->n / TELE_BUCKETS;
    double *last = part ? &line->valid : &line->train;
    int n = 0;
    for (size_t i = 0; i < c->epochs->n; i++) {
        double value = epochs_value(c->epochs, i, part, line->metric);
        widen(c, value);
        if (isnan(value) || !curves_on_line(c, i))
            continue;
        *last = value;
        if (i % stride == 0 && isfinite(value))
            lows[n] = highs[n] = (float)value, n++;
    }
    hold_most(c, lows, highs, n);
    hold(c, *last);
}

bool curves_measure(Curves *c)
{
    bool any = false;
    c->low = c->bottom = (double)INFINITY;
    c->high = c->top = -c->low;
    for (int i = 0; i < c->n; i++) {
        CurveLine *line = &c->lines[i];
        line->train = line->valid = (double)NAN;
        measure_steps(c, line);
        if (!line->rate)
            measure_rows(c, line, 1);
        if (line->series->n == 0 && !line->rate) /* a run read from files may have no steps, only epochs */
            measure_rows(c, line, 0);
        any = any || line->series->n > 0 || !isnan(line->train);
    }
    double need = c->top - c->bottom;
    if (c->log || c->view->dash->whole || !(need >= 0)) {
        c->bottom = c->low;
        c->top = c->high;
        return any;
    }
    if (c->high - c->bottom <= SPREAD * need)
        c->top = c->high;
    if (c->top - c->low <= SPREAD * need)
        c->bottom = c->low;
    return any;
}

/* Edges of the horizontal axis: they change seldom, by a factor of about two. */
void curves_steps(Curves *c)
{
    const DashState *dash = c->view->dash;
    const TelePlan *plan = telemetry_plan(dash->tele);
    const TeleSeries *series = c->lines[0].series;
    int64_t begin = series->n ? series->buckets[0].first - 1 : 0, epoch = plan->steps_per_epoch;
    int64_t last = dash->now.step > 0 ? dash->now.step : 1;
    if (series->n) {
        const TeleBucket *b = &series->buckets[series->n - 1];
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
