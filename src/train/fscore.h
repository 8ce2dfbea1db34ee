// SPDX-License-Identifier: MIT
/* F1 and F-beta: counts of each class. Source: keras/src/metrics/f_score_metrics.py */
#ifndef TRAIN_FSCORE_H
#define TRAIN_FSCORE_H

#include "train/counts.h"

extern const char *const fscore_averages[];
#define FSCORE_ARGS \
    { .name = "average", .type = ARG_CHOICE, .fallback = "macro", .choices = fscore_averages, .help = "how the classes are put together" }, \
    { .name = "threshold", .type = ARG_FLOAT, .fallback = "nil", .least = -1e30, .most = 1e30, \
      .help = "values above it are called true; nil: the largest of a row" }

size_t fscore_state(const Args *args, int64_t width, int64_t values);
void fscore_add(const Args *args, double *sums, const Tensor *prediction, const Tensor *target, const real *weight);
double fscore_value(const Args *args, double *sums, int64_t width);

#endif
