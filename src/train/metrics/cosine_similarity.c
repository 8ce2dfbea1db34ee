// SPDX-License-Identifier: MIT
#include <math.h>

#include "train/counts.h"

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    (void)a;
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n; i++) {
        double product = 0, p = 0, t = 0, w = counts_weight(&rows, weight, i);
        for (int64_t j = i * rows.width; j < (i + 1) * rows.width; j++) {
            product += (double)rows.data[j] * tensor_get(target, j);
            p += (double)rows.data[j] * (double)rows.data[j];
            t += tensor_get(target, j) * tensor_get(target, j);
        }
        double norms = (p > 1e-14 ? sqrt(p) : 1e-7) * (t > 1e-14 ? sqrt(t) : 1e-7);
        sums[0] += w * product / norms;
        sums[1] += w;
    }
}

const Metric metric_cosine_similarity = {
    .name = "cosine_similarity",
    .doc = "cosine_similarity: mean cosine between target and prediction along the last axis: 1 where they point the same way",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'cosine_similarity'}}",
    .add = add,
    .value = tally_mean,
};
