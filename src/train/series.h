// SPDX-License-Identifier: MIT
/* One value a step, folded into at most TELE_BUCKETS buckets whose width doubles when they are full. One writer, any number
 * of readers; the writer never waits. Lives inside a Telemetry, zeroed at first. */
#ifndef TRAIN_SERIES_H
#define TRAIN_SERIES_H

#include "train/seqlock.h"
#include "train/telemetry.h"

/* What readers see of the growing end. */
typedef struct SeriesTail {
    int64_t n, width, n_steps;
    TeleBucket bucket; /* the last one */
} SeriesTail;

typedef struct Series {
    /* the writer's own */
    TeleSeries own;
    double sum[TELE_BUCKETS];   /* of the finite values of a bucket */
    int64_t good[TELE_BUCKETS]; /* how many they are */
    /* published: buckets before the last stand still until all change together (`shape`) */
    atomic_uint shape, end;
    SeqWord buckets[TELE_BUCKETS][SEQ_WORDS(sizeof(TeleBucket))];
    SeqWord tail[SEQ_WORDS(sizeof(SeriesTail))];
} Series;

void series_add(Series *series, int64_t step, double value); /* writer */
void series_cut(Series *series, int64_t step);               /* writer: forget what was after step */
void series_read(Series *series, TeleSeries *out);           /* any thread */

#endif
