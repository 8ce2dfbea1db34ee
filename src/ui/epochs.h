// SPDX-License-Identifier: MIT
/* The epochs and marks of a run as curves need them: a compact copy of its facts that grows as they do, so that a frame does
 * not walk through every fact. Owned by the dashboard; one thread: ui. */
#ifndef UI_EPOCHS_H
#define UI_EPOCHS_H

#include "train/telemetry.h"

typedef struct Epochs {
    size_t seen;      /* facts that have been taken in */
    int n_metrics;
    size_t n, room;   /* epochs */
    int64_t *steps;   /* [n] */
    float *values;    /* [n, 2, n_metrics]: training, then validation; NaN where there is none */
    bool *left;       /* [n]: on a line of history that a rewind has left */
    size_t n_marks, marks_room;
    size_t *marks;    /* numbers of the facts that are the user's changes */
} Epochs;

void epochs_init(Epochs *epochs, int n_metrics);
void epochs_fini(Epochs *epochs);

/* Take in what is new. When memory runs out it stops, and goes on at the next call. */
void epochs_fetch(Epochs *epochs, const Telemetry *tele);

/* Training (part 0) or validation (part 1) of an epoch. */
static inline double epochs_value(const Epochs *epochs, size_t i, int part, int metric)
{
    return (double)epochs->values[(2 * i + (size_t)part) * (size_t)epochs->n_metrics + (size_t)metric];
}

#endif
