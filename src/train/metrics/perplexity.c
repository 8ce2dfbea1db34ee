// SPDX-License-Identifier: MIT
#include <math.h>

#include "train/counts.h"

enum { LOGITS };

static const ArgSpec args[] = {
    { .name = "from_logits", .type = ARG_BOOL, .fallback = "false", .help = "outputs are logits, not probabilities" },
};

static double log_of(const real *row, int64_t width, int64_t k, bool logits)
{
    double sum = 0, most = (double)row[tally_best(row, width)];
    if (!logits)
        return log((double)row[k] > 1e-7 ? (double)row[k] : 1e-7);
    for (int64_t j = 0; j < width; j++)
        sum += exp((double)row[j] - most);
    return (double)row[k] - most - log(sum);
}

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n; i++) {
        const real *row = rows.data + i * rows.width;
        int64_t truth = tally_class(target, i, rows.width);
        double w = counts_weight(&rows, weight, i);
        if (truth < 0 || truth >= rows.width)
            continue;
        sums[0] -= w * log_of(row, rows.width, truth, a->v[LOGITS].u.b);
        sums[1] += w;
    }
}

static double value(const Args *a, double *sums, int64_t width)
{
    (void)a, (void)width;
    return exp(counts_share(sums[0], sums[1]));
}

const Metric metric_perplexity = {
    .name = "perplexity",
    .falls = true,
    .doc = "perplexity(from_logits = false): exp of the mean of -log p[label]: among how many equally likely tokens the model hesitates",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'perplexity'}}",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .add = add,
    .value = value,
};
