// SPDX-License-Identifier: MIT
/* Source: keras/src/metrics/regression_metrics.py, uniform average. */
#include "train/counts.h"

static size_t state(const Args *a, int64_t width, int64_t values)
{
    (void)a, (void)width, (void)values;
    return 1 + 3 * (size_t)width;
}

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    (void)a;
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n; i++) {
        double w = counts_weight(&rows, weight, i);
        sums[0] += w;
        for (int64_t j = 0; j < rows.width; j++) {
            double t = tensor_get(target, i * rows.width + j), e = t - (double)rows.data[i * rows.width + j], *of = sums + 1 + 3 * j;
            of[0] += w * t;
            of[1] += w * t * t;
            of[2] += w * e * e;
        }
    }
}

static double value(const Args *a, double *sums, int64_t width)
{
    (void)a, (void)width;
    double sum = 0;
    for (int64_t j = 0; j < width; j++) {
        const double *of = sums + 1 + 3 * j;
        double total = of[1] - of[0] * counts_share(of[0], sums[0]);
        sum += total != 0 ? 1 - of[2] / total : 0;
    }
    return sum / (double)width;
}

const Metric metric_r2_score = {
    .name = "r2_score",
    .class_name = "R2Score",
    .doc = "r2_score: 1 - sum of squared errors / sum of squared distances from the targets' mean, averaged over the outputs: 1 is perfect,\n"
           "0 no better than the mean",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'r2_score'}}",
    .state = state,
    .add = add,
    .value = value,
};
