// SPDX-License-Identifier: MIT
#include "train/counts.h"

static const ArgSpec args[] = {
    COUNTS_ARGS,
};

static size_t state(const Args *a, int64_t width, int64_t values)
{
    (void)a, (void)width, (void)values;
    return COUNTS;
}

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    CountsRule rule = counts_rule(a);
    counts_add(sums, &rule, prediction, target, weight);
}

static double value(const Args *a, double *sums, int64_t width)
{
    (void)a, (void)width;
    return counts_share(sums[TRUE_POSITIVES], sums[TRUE_POSITIVES] + sums[FALSE_POSITIVES]);
}

const Metric metric_precision = {
    .name = "precision",
    .doc = "precision(threshold = 0.5, top_k = nil, class_id = nil): of what is called true, the share that is",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'precision'}}",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .state = state,
    .add = add,
    .value = value,
};
