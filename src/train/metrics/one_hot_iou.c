// SPDX-License-Identifier: MIT
#include <math.h>

#include "train/counts.h"

enum { N, IDS };

static const ArgSpec args[] = {
    { .name = "num_classes", .type = ARG_INT, .least = 2, .most = 10000, .help = "how many classes there are" },
    { .name = "target_class_ids", .type = ARG_INTS, .least = 0, .most = 1e4, .help = "the classes that count" },
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
    const ArgValue *ids = &a->v[IDS];
    for (int i = 0; i < ids->u.ints.n; i++)
        if (ids->u.ints.v[i] < n) {
            valid += classes_iou(sums, n, ids->u.ints.v[i], &iou);
            sum += iou;
        }
    return counts_share(sum, (double)valid);
}

const Metric metric_one_hot_iou = {
    .name = "one_hot_iou",
    .class_name = "OneHotIoU",
    .doc = "one_hot_iou(num_classes, target_class_ids): mean over some classes of intersection / union, for one output a class",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {nn.metrics.OneHotIoU(3, {0, 2})}}",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .state = state,
    .add = add,
    .value = value,
};
