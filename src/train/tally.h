// SPDX-License-Identifier: MIT
/* Counting over the rows of a prediction, for metrics and the confusion matrix. Cannot fail. Any thread. */
#ifndef TRAIN_TALLY_H
#define TRAIN_TALLY_H

#include "base/arg.h"
#include "tensor/tensor.h"

/* A prediction [B, …, C] as rows of C values. */
typedef struct Rows {
    const real *data;
    int64_t n, width;   /* rows, values of a row */
    int64_t per_sample; /* rows of one sample */
} Rows;

Rows tally_rows(const Tensor *prediction);

/* Index of the largest value, the first of equal ones. */
int64_t tally_best(const real *row, int64_t width);

/* The class of row i of a target: an int32 label, or the place of the largest of `width` values. */
int64_t tally_class(const Tensor *target, int64_t i, int64_t width);

/* sums[0] += weighted hits, sums[1] += weights, over rows whose predicted class is the target's. */
void tally_classes(double *sums, const Tensor *prediction, const Tensor *target, const real *weight);

/* The same over single values: is (prediction > threshold) the target? */
void tally_threshold(double *sums, const Tensor *prediction, const Tensor *target, const real *weight, double threshold);

/* sums[0] += weighted sum over the values of error^power (power 1: absolute), sums[1] += weights; power 1 or 2. */
void tally_error(double *sums, const Tensor *prediction, const Tensor *target, const real *weight, int power);

/* A Metric's value: sums[0] / sums[1]; 0 before the first row, as Keras has it. */
double tally_mean(const Args *args, double *sums, int64_t width);

/* ---- confusion: train/confusion.c ----
 * counts [n, n]: row true class, column predicted. */
typedef struct ConfusionRow {
    double precision, recall, f1; /* 0 where there is nothing to divide by */
    int64_t support;              /* samples of this class */
} ConfusionRow;

/* Predictions [B, C] with labels or one-hot targets; [B, 1] with 0/1 targets counts as two classes split at 0.5. Classes beyond
 * n are left out. */
void confusion_add(uint32_t *counts, int n, const Tensor *prediction, const Tensor *target);

/* How many classes a prediction of this shape and a target of this type mean; 0: not a classification. */
int confusion_classes(const Shape *prediction, const Tensor *target, bool probabilities);

void confusion_rows(ConfusionRow *out, const uint32_t *counts, int n);
int64_t confusion_right(const uint32_t *counts, int n, int64_t *total);

/* A table of counts with precision, recall, F1 and support, for plain output; labels may be NULL. */
void confusion_write(Buf *out, const uint32_t *counts, int n, const char *const *labels);

#endif
