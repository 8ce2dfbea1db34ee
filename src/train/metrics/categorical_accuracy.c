// SPDX-License-Identifier: MIT
#include "train/compile.h"
#include "train/tally.h"

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    (void)a;
    tally_classes(sums, prediction, target, weight);
}

const Metric metric_categorical_accuracy = {
    .name = "categorical_accuracy",
    .doc = "categorical_accuracy: share of samples whose largest output stands where the one-hot target has its one",
    .example = "model:compile{optimizer = 'sgd', loss = 'categorical_crossentropy', metrics = {'categorical_accuracy'}}",
    .add = add,
    .value = tally_mean,
};
