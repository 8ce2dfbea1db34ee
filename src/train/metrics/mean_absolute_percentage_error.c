// SPDX-License-Identifier: MIT
#include <math.h>

#include "train/counts.h"

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    (void)a;
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n * rows.width; i++) {
        double w = counts_weight(&rows, weight, i / rows.width), p = (double)rows.data[i], t = tensor_get(target, i);
        sums[0] += w * 100 * fabs((t - p) / (fabs(t) > 1e-7 ? fabs(t) : 1e-7));
        sums[1] += w;
    }
}

const Metric metric_mean_absolute_percentage_error = {
    .name = "mean_absolute_percentage_error",
    .falls = true,
    .short_name = "mape",
    .doc = "mean_absolute_percentage_error (mape): mean of 100 |target - prediction| / |target|",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'mean_absolute_percentage_error'}}",
    .add = add,
    .value = tally_mean,
};
