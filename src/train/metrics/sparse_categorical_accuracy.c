// SPDX-License-Identifier: MIT
#include "train/compile.h"
#include "train/tally.h"

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    (void)a;
    tally_classes(sums, prediction, target, weight);
}

const Metric metric_sparse_categorical_accuracy = {
    .name = "sparse_categorical_accuracy",
    .doc = "sparse_categorical_accuracy: share of samples whose largest output is the class that the label names",
    .example = "model:compile{optimizer = 'sgd', loss = 'sparse_categorical_crossentropy', metrics = {'sparse_categorical_accuracy'}}",
    .add = add,
    .value = tally_mean,
};
