// SPDX-License-Identifier: MIT
#include "train/counts.h"

enum { LEAST, N };

static const ArgSpec args[] = {
    { .name = "precision", .type = ARG_FLOAT, .most = 1, .help = "the least that is asked for" },
    { .name = "num_thresholds", .type = ARG_INT, .fallback = "200", .least = 2, .most = 1e6, .help = "how many thresholds are looked at" },
};

static size_t state(const Args *a, int64_t width, int64_t values)
{
    (void)a, (void)width, (void)values;
    return CURVE_STATE(a->v[N].u.i);
}

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    curve_add(sums, a->v[N].u.i, false, prediction, target, weight, false);
}

static double value(const Args *a, double *sums, int64_t width)
{
    (void)a, (void)width;
    return curve_best(sums, a->v[N].u.i, PRECISION, a->v[LEAST].u.f, RECALL);
}

const Metric metric_recall_at_precision = {
    .name = "recall_at_precision",
    .doc = "recall_at_precision(precision, num_thresholds = 200): best recall at a threshold where precision is at least this",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {nn.metrics.RecallAtPrecision(0.8)}}",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .state = state,
    .add = add,
    .value = value,
};
