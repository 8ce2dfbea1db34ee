// SPDX-License-Identifier: MIT
#include <math.h>

#include "train/counts.h"

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    (void)a;
    tally_error(sums, prediction, target, weight, 2);
}

static double value(const Args *a, double *sums, int64_t width)
{
    (void)a, (void)width;
    return sqrt(counts_share(sums[0], sums[1]));
}

const Metric metric_root_mean_squared_error = {
    .name = "root_mean_squared_error",
    .falls = true,
    .short_name = "rmse",
    .doc = "root_mean_squared_error (rmse): root of the mean of (prediction - target)^2",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'root_mean_squared_error'}}",
    .add = add,
    .value = value,
};
