// SPDX-License-Identifier: MIT
#include "train/counts.h"

enum { K };

static const ArgSpec args[] = {
    { .name = "k", .type = ARG_INT, .fallback = "5", .least = 1, .most = 1e9, .help = "how many of the largest outputs count" },
};

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n; i++) {
        const real *row = rows.data + i * rows.width;
        double w = counts_weight(&rows, weight, i);
        int64_t truth = tally_class(target, i, rows.width), above = 0;
        for (int64_t j = 0; truth >= 0 && truth < rows.width && j < rows.width; j++)
            above += row[j] > row[truth];
        sums[0] += truth >= 0 && truth < rows.width && above < a->v[K].u.i ? w : 0;
        sums[1] += w;
    }
}

const Metric metric_top_k_categorical_accuracy = {
    .name = "top_k_categorical_accuracy",
    .doc = "top_k_categorical_accuracy(k = 5): share of samples whose one-hot target is among the k largest outputs",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'top_k_categorical_accuracy'}}",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .add = add,
    .value = tally_mean,
};
