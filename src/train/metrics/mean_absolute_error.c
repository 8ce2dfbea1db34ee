// SPDX-License-Identifier: MIT
#include "train/compile.h"
#include "train/tally.h"

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    (void)a;
    tally_error(sums, prediction, target, weight, 1);
}

const Metric metric_mean_absolute_error = {
    .name = "mean_absolute_error",
    .falls = true,
    .short_name = "mae",
    .doc = "mean_absolute_error (mae): mean of |prediction - target| over all samples and outputs",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'mae'}}",
    .add = add,
    .value = tally_mean,
};
