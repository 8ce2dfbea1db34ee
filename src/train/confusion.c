// SPDX-License-Identifier: MIT
/* The confusion matrix and what is read from it: precision (of those called k, how many are), recall (of those that are k, how
 * many were called so), and F1, their harmonic mean. */
#include <string.h>

#include "train/tally.h"

int confusion_classes(const Shape *prediction, const Tensor *target, bool probabilities)
{
    int64_t width = prediction->rank > 1 ? prediction->d[prediction->rank - 1] : 1;
    if (prediction->rank != 2 || width > 1000 || target->dtype == DTYPE_UINT8)
        return 0;
    if (width == 1)
        return probabilities ? 2 : 0;
    return target->dtype == DTYPE_INT32 || probabilities ? (int)width : 0;
}

void confusion_add(uint32_t *counts, int n, const Tensor *prediction, const Tensor *target)
{
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n; i++) {
        int64_t truth, guess;
        if (rows.width == 1) {
            truth = tensor_get(target, i) > 0.5;
            guess = (double)rows.data[i] > 0.5;
        } else {
            truth = tally_class(target, i, rows.width);
            guess = tally_best(rows.data + i * rows.width, rows.width);
        }
        if (truth >= 0 && truth < n && guess < n)
            counts[truth * n + guess]++;
    }
}

int64_t confusion_right(const uint32_t *counts, int n, int64_t *total)
{
    int64_t right = 0;
    *total = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            *total += counts[i * n + j];
            right += i == j ? counts[i * n + j] : 0;
        }
    return right;
}

static ConfusionRow row_of(const uint32_t *counts, int n, int k)
{
    ConfusionRow row = { 0 };
    int64_t called = 0, hits = counts[k * n + k];
    for (int i = 0; i < n; i++) {
        called += counts[i * n + k];
        row.support += counts[k * n + i];
    }
    if (called > 0)
        row.precision = (double)hits / (double)called;
    if (row.support > 0)
        row.recall = (double)hits / (double)row.support;
    if (hits > 0)
        row.f1 = 2 * row.precision * row.recall / (row.precision + row.recall);
    return row;
}

void confusion_rows(ConfusionRow *out, const uint32_t *counts, int n)
{
    for (int k = 0; k < n; k++)
        out[k] = row_of(counts, n, k);
}

static int label_width(int n, const char *const *labels)
{
    int width = 5;
    for (int i = 0; labels && i < n; i++)
        width = (int)strlen(labels[i]) > width ? (int)strlen(labels[i]) : width;
    return width > 20 ? 20 : width;
}

static void write_label(Buf *out, int i, const char *const *labels, int width)
{
    if (labels)
        buf_printf(out, "%*.*s", width, width, labels[i]);
    else
        buf_printf(out, "%*d", width, i);
}

void confusion_write(Buf *out, const uint32_t *counts, int n, const char *const *labels)
{
    int64_t total, right = confusion_right(counts, n, &total);
    int width = label_width(n, labels), cell = 2;
    for (int i = 0; i < n * n; i++)
        for (uint32_t c = counts[i], w = 2; c; c /= 10, w++)
            cell = (int)w > cell ? (int)w : cell;
    cell = cell < 5 ? 5 : cell;
    buf_printf(out, "%*s", width, "");
    for (int i = 0; i < n; i++) {
        buf_put(out, ' ');
        write_label(out, i, labels, cell - 1);
    }
    buf_puts(out, "   precision  recall      F1  count\n");
    for (int k = 0; k < n; k++) {
        ConfusionRow row = row_of(counts, n, k);
        write_label(out, k, labels, width);
        for (int i = 0; i < n; i++)
            buf_printf(out, "%*u", cell, counts[k * n + i]);
        buf_printf(out, "   %9.4f  %6.4f  %6.4f  %5lld\n", row.precision, row.recall, row.f1, (long long)row.support);
    }
    buf_printf(out, "%lld of %lld right (%.2f %%)\n", (long long)right, (long long)total, total ? 100.0 * (double)right / (double)total : 0.0);
}
