// SPDX-License-Identifier: MIT
#include "train/fscore.h"

#include <math.h>

#define EPSILON 1e-7 /* Keras's */

const char *const fscore_averages[] = { "macro", "micro", "weighted", NULL };

size_t fscore_state(const Args *args, int64_t width, int64_t values)
{
    (void)args, (void)values;
    return (size_t)width * COUNTS;
}

void fscore_add(const Args *args, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    Rows rows = tally_rows(prediction);
    bool given = args_given(args, "threshold");
    double threshold = args_float(args, "threshold");
    for (int64_t i = 0; i < rows.n; i++) {
        const real *row = rows.data + i * rows.width;
        double w = counts_weight(&rows, weight, i), most = (double)row[tally_best(row, rows.width)];
        for (int64_t j = 0; j < rows.width; j++) {
            bool called = given ? (double)row[j] > threshold : (double)row[j] >= most && fabs((double)row[j]) > 1e-9;
            bool truth = counts_truth(target, i, j, rows.width);
            sums[j * COUNTS + (called ? truth ? TRUE_POSITIVES : FALSE_POSITIVES : truth ? FALSE_NEGATIVES : TRUE_NEGATIVES)] += w;
        }
    }
}

static double score(const double *c, double beta)
{
    double precision = c[TRUE_POSITIVES] / (c[TRUE_POSITIVES] + c[FALSE_POSITIVES] + EPSILON);
    double recall = c[TRUE_POSITIVES] / (c[TRUE_POSITIVES] + c[FALSE_NEGATIVES] + EPSILON);
    return precision * recall / (beta * beta * precision + recall + EPSILON) * (1 + beta * beta);
}

double fscore_value(const Args *args, double *sums, int64_t width)
{
    double beta = args_given(args, "beta") ? args_float(args, "beta") : 1, all[COUNTS] = { 0 }, mean = 0, weighted = 0;
    for (int64_t j = 0; j < width; j++) {
        const double *c = sums + j * COUNTS;
        for (int k = 0; k < COUNTS; k++)
            all[k] += c[k];
        mean += score(c, beta) / (double)width;
        weighted += score(c, beta) * (c[TRUE_POSITIVES] + c[FALSE_NEGATIVES]);
    }
    switch (args->v[0].u.i) {
    case 0:
        return mean;
    case 1:
        return score(all, beta);
    }
    return weighted / (all[TRUE_POSITIVES] + all[FALSE_NEGATIVES] + EPSILON);
}
