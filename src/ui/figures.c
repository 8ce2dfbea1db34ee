// SPDX-License-Identifier: MIT
#include "ui/figures.h"

#include <math.h>

#include "base/mem.h"

/* 0 / 0 is NaN, which is the truth. */
static Figures from_sums(uint64_t right, uint64_t said, uint64_t was)
{
    return (Figures){ (double)right / (double)said, (double)right / (double)was, 2 * (double)right / ((double)said + (double)was) };
}

Figures figures_of(const TeleConfusion *data, int class)
{
    uint64_t said = 0, was = 0;
    size_t n = (size_t)data->n, c = (size_t)class;
    for (size_t i = 0; i < n; i++) {
        said += data->counts[i * n + c];
        was += data->counts[c * n + i];
    }
    return from_sums(data->counts[c * n + c], said, was);
}

/* All sums in one pass in the order of memory: said [n], was [n]. */
static void sum_all(const TeleConfusion *data, uint64_t *said, uint64_t *was)
{
    const uint32_t *count = data->counts;
    for (int i = 0; i < data->n; i++)
        for (int j = 0; j < data->n; j++, count++) {
            said[j] += *count;
            was[i] += *count;
        }
}

int figures_worst(const TeleConfusion *data, int out[], int most)
{
    size_t n = (size_t)data->n;
    uint64_t *sums = mem_zero(2 * n, sizeof *sums, NULL);
    double *f1 = mem_zero((size_t)(most > 0 ? most : 0), sizeof *f1, NULL);
    int kept = 0;
    if (sums && f1)
        sum_all(data, sums, sums + n);
    for (size_t i = 0; i < n && sums && f1 && most > 0; i++) {
        double value = from_sums(data->counts[i * n + i], sums[i], sums[n + i]).f1;
        if (isnan(value) || (kept == most && value >= f1[kept - 1]))
            continue;
        int at = kept < most ? kept++ : kept - 1; /* insertion; the last of a full list falls out */
        for (; at > 0 && f1[at - 1] > value; at--) {
            f1[at] = f1[at - 1];
            out[at] = out[at - 1];
        }
        f1[at] = value;
        out[at] = (int)i;
    }
    mem_free(sums);
    mem_free(f1);
    return kept;
}

int figures_mistakes(const TeleConfusion *data, size_t out[], int most)
{
    int kept = 0;
    size_t n = (size_t)data->n;
    for (size_t i = 0; i < n * n && most > 0; i++) {
        uint32_t count = data->counts[i];
        if (count == 0 || (kept == most && count <= data->counts[out[kept - 1]]) || i % (n + 1) == 0) /* the diagonal is right */
            continue;
        int at = kept < most ? kept++ : kept - 1;
        for (; at > 0 && data->counts[out[at - 1]] < count; at--)
            out[at] = out[at - 1];
        out[at] = i;
    }
    return kept;
}
