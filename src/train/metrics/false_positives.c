// SPDX-License-Identifier: MIT
#include "train/counts.h"

enum { THRESHOLD };

static const ArgSpec args[] = {
    { .name = "threshold", .type = ARG_FLOAT, .fallback = "0.5", .least = -1e30, .most = 1e30, .help = "values above it are called true" },
};

static size_t state(const Args *a, int64_t width, int64_t values)
{
    (void)a, (void)width, (void)values;
    return COUNTS;
}

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    CountsRule rule = { a->v[THRESHOLD].u.f, 0, -1 };
    counts_add(sums, &rule, prediction, target, weight);
}

static double value(const Args *a, double *sums, int64_t width)
{
    (void)a, (void)width;
    return sums[FALSE_POSITIVES];
}

const Metric metric_false_positives = {
    .name = "false_positives",
    .falls = true,
    .doc = "false_positives(threshold = 0.5): how many false values that are called true, weighted by sample",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'false_positives'}}",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .state = state,
    .add = add,
    .value = value,
};
