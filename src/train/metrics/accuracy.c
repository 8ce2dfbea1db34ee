// SPDX-License-Identifier: MIT
#include "train/compile.h"
#include "train/tally.h"

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    (void)a;
    if (tally_rows(prediction).width == 1)
        tally_threshold(sums, prediction, target, weight, 0.5);
    else
        tally_classes(sums, prediction, target, weight);
}

const Metric metric_accuracy = {
    .name = "accuracy",
    .short_name = "acc",
    .doc = "accuracy (acc): the accuracy that fits: binary for one output, sparse_categorical for integer labels,\n"
           "categorical for one-hot targets. Source: keras/src/trainers/compile_utils.py",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'accuracy'}}",
    .add = add,
    .value = tally_mean,
};
