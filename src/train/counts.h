// SPDX-License-Identifier: MIT
/* Counts of hits and misses that metrics are made of, weighted by sample. Targets are 0 and 1 of the prediction's shape, or class
 * numbers, which are taken as one-hot rows. Cannot fail. Any thread. */
#ifndef TRAIN_COUNTS_H
#define TRAIN_COUNTS_H

#include "train/compile.h"
#include "train/tally.h"

enum { TRUE_POSITIVES, FALSE_POSITIVES, TRUE_NEGATIVES, FALSE_NEGATIVES, COUNTS };

/* Is value `column` of row `row` of this target true? */
bool counts_truth(const Tensor *target, int64_t row, int64_t column, int64_t width);
double counts_weight(const Rows *rows, const real *weight, int64_t row);
double counts_share(double a, double b); /* a / b; 0 where b is 0 */

/* counts [COUNTS] += …: a value above threshold is called true; with top_k > 0 those among the largest k of their row instead.
 * class_id >= 0: this column alone. Source: keras/src/metrics/metrics_utils.py */
typedef struct CountsRule {
    double threshold;
    int64_t top_k, class_id;
} CountsRule;
void counts_add(double *counts, const CountsRule *rule, const Tensor *prediction, const Tensor *target, const real *weight);

/* What Precision, Recall and their kin have as arguments, and the rule they mean. */
#define COUNTS_ARGS \
    { .name = "threshold", .type = ARG_FLOAT, .fallback = "0.5", .least = -1e30, .most = 1e30, .help = "values above it are called true" }, \
    { .name = "top_k", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 1e9, .help = "instead: the largest k of each row are" }, \
    { .name = "class_id", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 1e9, .help = "look at this output alone" }
CountsRule counts_rule(const Args *args);

/* ---- counts at many thresholds, as Keras's AUC keeps them ----
 * state [2 n + 2]: for n thresholds spread evenly over 0 … 1 the weight of true and of false values in each interval above one,
 * then the sum of each. ends: the first and last threshold lie just outside, so that all values are above the first. */
#define CURVE_STATE(n) (2 * (size_t)(n) + 2)
void curve_add(double *state, int64_t n, bool ends, const Tensor *prediction, const Tensor *target, const real *weight, bool logits);

/* Goes over the thresholds from the last (nothing is called true) to the first: counts [COUNTS] at each. */
typedef struct Curve {
    const double *state;
    int64_t n, at;
    double counts[COUNTS];
} Curve;
void curve_begin(Curve *curve, const double *state, int64_t n);
bool curve_next(Curve *curve);

/* The largest `dependent` over the thresholds where `constrained` is at least this: both are one of these shares. */
typedef enum { PRECISION, RECALL, SPECIFICITY } Share;
double curve_best(const double *state, int64_t n, Share constrained, double least, Share dependent);

/* ---- classes: state [n, n] += weight at (true class, predicted class); intersection over union of class k, and whether it has one */
void classes_add(double *state, int64_t n, const Tensor *prediction, const Tensor *target, const real *weight, double threshold);
bool classes_iou(const double *state, int64_t n, int64_t k, double *out);

#endif
