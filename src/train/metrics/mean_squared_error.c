// SPDX-License-Identifier: MIT
#include "train/compile.h"
#include "train/tally.h"

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    (void)a;
    tally_error(sums, prediction, target, weight, 2);
}

const Metric metric_mean_squared_error = {
    .name = "mean_squared_error",
    .falls = true,
    .short_name = "mse",
    .doc = "mean_squared_error (mse): mean of (prediction - target)^2 over all samples and outputs",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'mse'}}",
    .add = add,
    .value = tally_mean,
};
