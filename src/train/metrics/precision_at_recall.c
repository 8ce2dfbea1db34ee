// SPDX-License-Identifier: MIT
#include "train/counts.h"

enum { LEAST, N };

static const ArgSpec args[] = {
    { .name = "recall", .type = ARG_FLOAT, .most = 1, .help = "the least that is asked for" },
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
    return curve_best(sums, a->v[N].u.i, RECALL, a->v[LEAST].u.f, PRECISION);
}

const Metric metric_precision_at_recall = {
    .name = "precision_at_recall",
    .doc = "precision_at_recall(recall, num_thresholds = 200): best precision at a threshold where recall is at least this",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {nn.metrics.PrecisionAtRecall(0.8)}}",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .state = state,
    .add = add,
    .value = value,
};
