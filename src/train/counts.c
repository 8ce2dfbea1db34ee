// SPDX-License-Identifier: MIT
#include "train/counts.h"

#include <math.h>

bool counts_truth(const Tensor *target, int64_t row, int64_t column, int64_t width)
{
    if (target->dtype == DTYPE_INT32 && tensor_count(target) > 0 && width > 1)
        return tensor_int(target)[row] == column;
    return tensor_get(target, row * width + column) != 0;
}

double counts_weight(const Rows *rows, const real *weight, int64_t row)
{
    return weight ? (double)weight[row / rows->per_sample] : 1;
}

double counts_share(double a, double b)
{
    return b != 0 ? a / b : 0;
}

/* ---- at one threshold ---- */

CountsRule counts_rule(const Args *args)
{
    return (CountsRule){ args_float(args, "threshold"), args_given(args, "top_k") ? args_int(args, "top_k") : 0,
                         args_given(args, "class_id") ? args_int(args, "class_id") : -1 };
}

/* How many of the row are larger, equal ones before it included. */
static int64_t place(const real *row, int64_t width, int64_t column)
{
    int64_t n = 0;
    for (int64_t i = 0; i < width; i++)
        n += row[i] > row[column] || (row[i] == row[column] && i < column);
    return n;
}

void counts_add(double *counts, const CountsRule *rule, const Tensor *prediction, const Tensor *target, const real *weight)
{
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n; i++) {
        const real *row = rows.data + i * rows.width;
        double w = counts_weight(&rows, weight, i);
        for (int64_t j = 0; j < rows.width; j++) {
            if (rule->class_id >= 0 && j != rule->class_id)
                continue;
            bool called = rule->top_k > 0 ? place(row, rows.width, j) < rule->top_k : (double)row[j] > rule->threshold;
            bool truth = counts_truth(target, i, j, rows.width);
            counts[called ? truth ? TRUE_POSITIVES : FALSE_POSITIVES : truth ? FALSE_NEGATIVES : TRUE_NEGATIVES] += w;
        }
    }
}

/* ---- at many ---- */

void curve_add(double *state, int64_t n, bool ends, const Tensor *prediction, const Tensor *target, const real *weight, bool logits)
{
    Rows rows = tally_rows(prediction);
    double *hits = state, *misses = state + n, *sums = state + 2 * n;
    for (int64_t i = 0; i < rows.n; i++) {
        double w = counts_weight(&rows, weight, i);
        for (int64_t j = 0; j < rows.width; j++) {
            double p = (double)rows.data[i * rows.width + j];
            p = logits ? 1 / (1 + exp(-p)) : p;
            p = p > 0 ? p < 1 ? p : 1 : 0;
            bool truth = counts_truth(target, i, j, rows.width);
            int64_t bucket = (int64_t)ceil((double)((float)p * (float)(n - 1))) - 1; /* rounded as Keras's float32 rounds it */
            bucket = bucket < 0 && ends ? 0 : bucket;
            sums[truth ? 0 : 1] += w;
            if (bucket >= 0)
                (truth ? hits : misses)[bucket] += w;
        }
    }
}

void curve_begin(Curve *curve, const double *state, int64_t n)
{
    *curve = (Curve){ .state = state, .n = n, .at = n };
}

bool curve_next(Curve *curve)
{
    double *c = curve->counts;
    const double *s = curve->state;
    int64_t n = curve->n;
    if (--curve->at < 0)
        return false;
    c[TRUE_POSITIVES] += s[curve->at];
    c[FALSE_POSITIVES] += s[n + curve->at];
    c[FALSE_NEGATIVES] = s[2 * n] - c[TRUE_POSITIVES];
    c[TRUE_NEGATIVES] = s[2 * n + 1] - c[FALSE_POSITIVES];
    return true;
}

static double share_of(const double *c, Share share)
{
    if (share == PRECISION)
        return counts_share(c[TRUE_POSITIVES], c[TRUE_POSITIVES] + c[FALSE_POSITIVES]);
    if (share == RECALL)
        return counts_share(c[TRUE_POSITIVES], c[TRUE_POSITIVES] + c[FALSE_NEGATIVES]);
    return counts_share(c[TRUE_NEGATIVES], c[TRUE_NEGATIVES] + c[FALSE_POSITIVES]);
}

double curve_best(const double *state, int64_t n, Share constrained, double least, Share dependent)
{
    Curve curve;
    double best = 0;
    for (curve_begin(&curve, state, n); curve_next(&curve);) {
        double share = share_of(curve.counts, dependent);
        if (share_of(curve.counts, constrained) >= least && share > best)
            best = share;
    }
    return best;
}

/* ---- classes ---- */

void classes_add(double *state, int64_t n, const Tensor *prediction, const Tensor *target, const real *weight, double threshold)
{
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n; i++) {
        const real *row = rows.data + i * rows.width;
        int64_t guess, truth;
        if (rows.width > 1) {
            guess = tally_best(row, rows.width);
            truth = tally_class(target, i, rows.width);
        } else {
            guess = isnan(threshold) ? (int64_t)row[0] : (double)row[0] >= threshold;
            truth = (int64_t)tensor_get(target, i);
        }
        if (truth >= 0 && truth < n && guess >= 0 && guess < n)
            state[truth * n + guess] += counts_weight(&rows, weight, i);
    }
}

bool classes_iou(const double *state, int64_t n, int64_t k, double *out)
{
    double all = -state[k * n + k];
    for (int64_t i = 0; i < n; i++)
        all += state[k * n + i] + state[i * n + k];
    *out = counts_share(state[k * n + k], all);
    return all != 0;
}
