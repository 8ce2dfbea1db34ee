// SPDX-License-Identifier: MIT
/* Readers copy the end (a few words) under one sequence lock and the buckets before it under another that changes only when
 * buckets are merged or cut, so that a reader is not starved by a fast writer: a value touches the end alone.
 *
 * A cut inside a merged bucket cannot be undone exactly; the whole bucket is forgotten, which loses at most width - 1 of the
 * steps that stay (one part in TELE_BUCKETS / 2 of the curve). */
#include "train/series.h"

#include <math.h>

/* Add one value to bucket i. */
static void fold(Series *series, int i, int64_t step, double value)
{
    TeleBucket *b = &series->own.buckets[i];
    if (step >= b->first + b->n)
        b->n = step - b->first + 1;
    float v = (float)value;
    if (!isfinite(value) || !isfinite(v)) {
        b->n_bad++;
        return;
    }
    bool first = series->good[i]++ == 0;
    series->sum[i] += value;
    b->min = first || v < b->min ? v : b->min;
    b->max = first || v > b->max ? v : b->max;
    b->mean = (float)(series->sum[i] / (double)series->good[i]);
    b->last = v;
}

/* Bucket i takes in the bucket after it. */
static void merge(Series *series, int i, int into)
{
    TeleBucket a = series->own.buckets[i], b = series->own.buckets[i + 1];
    int64_t good_a = series->good[i], good_b = series->good[i + 1];
    TeleBucket *out = &series->own.buckets[into];
    *out = good_a ? a : b;
    if (good_a && good_b) {
        out->min = b.min < a.min ? b.min : a.min;
        out->max = b.max > a.max ? b.max : a.max;
        out->last = b.last;
    }
    out->first = a.first;
    out->n = b.first + b.n - a.first;
    out->n_bad = a.n_bad + b.n_bad;
    series->sum[into] = series->sum[i] + series->sum[i + 1];
    series->good[into] = good_a + good_b;
    if (series->good[into])
        out->mean = (float)(series->sum[into] / (double)series->good[into]);
}

static void store_bucket(Series *series, int i)
{
    seq_store(series->buckets[i], &series->own.buckets[i], sizeof(TeleBucket));
}

static void store_tail(Series *series)
{
    SeriesTail tail = { series->own.n, series->own.width, series->own.n_steps, { 0 } };
    if (series->own.n)
        tail.bucket = series->own.buckets[series->own.n - 1];
    seq_store(series->tail, &tail, sizeof tail);
}

static void halve(Series *series)
{
    series->own.width *= 2;
    series->own.n = TELE_BUCKETS / 2;
    for (int i = 0; i < series->own.n; i++)
        merge(series, 2 * i, i);
}

static void begin_bucket(Series *series, int64_t step)
{
    int i = series->own.n++;
    series->own.buckets[i] = (TeleBucket){ .first = step, .min = NAN, .max = NAN, .mean = NAN, .last = NAN };
    series->sum[i] = 0;
    series->good[i] = 0;
}

void series_add(Series *series, int64_t step, double value)
{
    TeleSeries *own = &series->own;
    const TeleBucket *last = own->n ? &own->buckets[own->n - 1] : NULL;
    bool full = !last || step - last->first >= own->width, reshape = full && own->n == TELE_BUCKETS;
    if (own->width == 0)
        own->width = 1;
    if (reshape)
        seq_begin(&series->shape);
    seq_begin(&series->end);
    if (reshape) {
        halve(series);
        for (int i = 0; i < own->n; i++)
            store_bucket(series, i);
    }
    if (full && own->n)
        store_bucket(series, own->n - 1); /* it stands still from now on */
    if (full)
        begin_bucket(series, step);
    own->n_steps++;
    fold(series, own->n - 1, step, value);
    store_tail(series);
    seq_end(&series->end);
    if (reshape)
        seq_end(&series->shape);
}

void series_cut(Series *series, int64_t step)
{
    TeleSeries *own = &series->own;
    seq_begin(&series->shape);
    seq_begin(&series->end);
    while (own->n && own->buckets[own->n - 1].first + own->buckets[own->n - 1].n - 1 > step) {
        own->n--;
        own->n_steps -= series->good[own->n] + own->buckets[own->n].n_bad;
    }
    store_tail(series);
    seq_end(&series->end);
    seq_end(&series->shape);
}

void series_read(Series *series, TeleSeries *out)
{
    unsigned shape, end;
    do {
        SeriesTail tail;
        shape = seq_enter(&series->shape);
        do {
            end = seq_enter(&series->end);
            seq_fetch(&tail, series->tail, sizeof tail);
        } while (seq_changed(&series->end, end));
        out->n = (int)tail.n;
        out->width = tail.width ? tail.width : 1;
        out->n_steps = tail.n_steps;
        for (int i = 0; i < out->n - 1; i++)
            seq_fetch(&out->buckets[i], series->buckets[i], sizeof(TeleBucket));
        if (out->n)
            out->buckets[out->n - 1] = tail.bucket;
    } while (seq_changed(&series->shape, shape));
}
