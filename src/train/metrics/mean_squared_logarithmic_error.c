// SPDX-License-Identifier: MIT
#include <math.h>

#include "train/counts.h"

static double square(double x)
{
    return x * x;
}

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    (void)a;
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n * rows.width; i++) {
        double w = counts_weight(&rows, weight, i / rows.width), p = (double)rows.data[i], t = tensor_get(target, i);
        sums[0] += w * square(log(1 + (p > 1e-7 ? p : 1e-7)) - log(1 + (t > 1e-7 ? t : 1e-7)));
        sums[1] += w;
    }
}

const Metric metric_mean_squared_logarithmic_error = {
    .name = "mean_squared_logarithmic_error",
    .falls = true,
    .short_name = "msle",
    .doc = "mean_squared_logarithmic_error (msle): mean of (log(1 + prediction) - log(1 + target))^2",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'mean_squared_logarithmic_error'}}",
    .add = add,
    .value = tally_mean,
};
