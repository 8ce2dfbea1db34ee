// SPDX-License-Identifier: MIT
#include "train/counts.h"

enum { IDS, THRESHOLD };

static const ArgSpec args[] = {
    { .name = "target_class_ids", .type = ARG_INTS, .fallback = "0,1", .least = 0, .most = 1, .help = "the classes that count" },
    { .name = "threshold", .type = ARG_FLOAT, .fallback = "0.5", .least = -1e30, .most = 1e30, .help = "outputs from it on are class 1" },
};

static size_t state(const Args *a, int64_t width, int64_t values)
{
    (void)a, (void)width, (void)values;
    return 4;
}

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    Tensor p = *prediction, t = *target; /* every output by itself */
    p.shape = t.shape = SHAPE(tensor_count(prediction), 1);
    Rows rows = tally_rows(prediction);
    if (!weight || rows.n * rows.width == prediction->shape.d[0]) {
        classes_add(sums, 2, &p, &t, weight, a->v[THRESHOLD].u.f);
        return;
    }
    for (int64_t i = 0; i < rows.n * rows.width; i++) {
        bool guess = (double)rows.data[i] >= a->v[THRESHOLD].u.f;
        sums[2 * (tensor_get(target, i) != 0) + guess] += counts_weight(&rows, weight, i / rows.width);
    }
}

static double value(const Args *a, double *sums, int64_t width)
{
    (void)a, (void)width;
    int64_t n = 2, valid = 0;
    double sum = 0, iou;
    const ArgValue *ids = &a->v[IDS];
    for (int i = 0; i < ids->u.ints.n; i++)
        if (ids->u.ints.v[i] < n) {
            valid += classes_iou(sums, n, ids->u.ints.v[i], &iou);
            sum += iou;
        }
    return counts_share(sum, (double)valid);
}

const Metric metric_binary_iou = {
    .name = "binary_iou",
    .class_name = "BinaryIoU",
    .doc = "binary_iou(target_class_ids = 0,1, threshold = 0.5): mean over these classes of intersection / union; outputs from the threshold on are 1",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'binary_iou'}}",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .state = state,
    .add = add,
    .value = value,
};
