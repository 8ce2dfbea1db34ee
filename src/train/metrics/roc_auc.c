// SPDX-License-Identifier: MIT
/* Source: Fawcett 2006, section 7; as the sum of the ranks. Weights multiply pairs, as in scikit-learn. */
#include <math.h>
#include <stdlib.h>

#include "train/counts.h"

/* Outputs rising; equal ones in an order of their own, so that the sums do not depend on how they came. */
static int by_output(const void *left, const void *right)
{
    const double *a = left, *b = right;
    if (a[0] != b[0])
        return a[0] < b[0] ? -1 : 1;
    return a[1] < b[1] ? -1 : a[1] > b[1];
}

static size_t state(const Args *a, int64_t width, int64_t values)
{
    (void)a, (void)width, (void)values;
    return 1 + 2 * (size_t)(values * width);
}

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    (void)a;
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n; i++)
        for (int64_t j = 0; j < rows.width; j++) {
            double *row = sums + 1 + 2 * (int64_t)sums[0]++;
            double w = counts_weight(&rows, weight, i);
            row[0] = (double)rows.data[i * rows.width + j];
            row[1] = counts_truth(target, i, j, rows.width) ? w : -w;
        }
}

static double value(const Args *a, double *sums, int64_t width)
{
    (void)a, (void)width;
    int64_t n = (int64_t)sums[0];
    double *rows = sums + 1, hits = 0, misses = 0, sum = 0;
    qsort(rows, (size_t)n, 2 * sizeof *rows, by_output);
    for (int64_t i = 0; i < n;) {
        double tied_hits = 0, tied_misses = 0, output = rows[2 * i];
        for (; i < n && rows[2 * i] == output; i++)
            *(rows[2 * i + 1] > 0 ? &tied_hits : &tied_misses) += fabs(rows[2 * i + 1]);
        sum += tied_hits * (misses + tied_misses / 2);
        hits += tied_hits;
        misses += tied_misses;
    }
    return counts_share(sum, hits * misses);
}

const Metric metric_roc_auc = {
    .name = "roc_auc",
    .class_name = "ROCAUC",
    .doc = "roc_auc: the exact area under the ROC curve: how often a true sample gets a larger output than a false one, ties counting half.\n"
           "All outputs of an epoch are kept and sorted; auc needs less memory.",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {'roc_auc'}}",
    .state = state,
    .add = add,
    .value = value,
};
