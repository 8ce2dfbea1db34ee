// SPDX-License-Identifier: MIT
#include "train/compile.h"
#include "train/tally.h"

static const ArgSpec args[] = {
    { .name = "threshold", .type = ARG_FLOAT, .fallback = "0.5", .help = "an output above it counts as 1" },
};

enum { THRESHOLD };

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    tally_threshold(sums, prediction, target, weight, a ? a->v[THRESHOLD].u.f : 0.5);
}

const Metric metric_binary_accuracy = {
    .name = "binary_accuracy",
    .doc = "binary_accuracy(threshold = 0.5): share of outputs that lie on the target's side of the threshold; targets are 0 or 1",
    .example = "model:compile{optimizer = 'sgd', loss = 'binary_crossentropy', metrics = {'binary_accuracy'}}",
    .args = args,
    .n_args = sizeof args / sizeof args[0],
    .add = add,
    .value = tally_mean,
};
