// SPDX-License-Identifier: MIT
#include <math.h>

#include "train/counts.h"

enum { N };

static const ArgSpec args[] = {
    { .name = "num_classes", .type = ARG_INT, .least = 2, .most = 10000, .help = "how many classes there are" },
};

static size_t state(const Args *a, int64_t width, int64_t values)
{
    (void)a, (void)width, (void)values;
    return (size_t)(a->v[N].u.i * a->v[N].u.i);
}

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    classes_add(sums, a->v[N].u.i, prediction, target, weight, (double)NAN);
}

static double value(const Args *a, double *sums, int64_t width)
{
    (void)a, (void)width;
    int64_t n = a->v[N].u.i, valid = 0;
    double sum = 0, iou;
    for (int64_t k = 0; k < n; k++) {
        valid += classes_iou(sums, n, k, &iou);
        sum += iou;
    }
    return counts_share(sum, (double)valid);
}

const Metric metric_mean_iou = {
    .name = "mean_iou",
    .class_name = "MeanIoU",
    .doc = "mean_iou(num_classes): mean over the classes of intersection / union of where they are and where they are predicted. One output is\n"
           "taken for the class number, of several the largest counts.",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {nn.metrics.MeanIoU(3)}}",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .state = state,
    .add = add,
    .value = value,
};
