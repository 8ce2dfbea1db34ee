// SPDX-License-Identifier: MIT
/* The loops under the metrics. Sums are kept in double, so that an epoch's mean does not depend on how it was cut into batches
 * beyond rounding. */
#include "train/tally.h"

#include <math.h>

Rows tally_rows(const Tensor *prediction)
{
    const Shape *shape = &prediction->shape;
    int64_t width = shape->rank > 1 ? shape->d[shape->rank - 1] : 1;
    int64_t n = width > 0 ? tensor_count(prediction) / width : 0;
    int64_t batch = shape->rank > 0 && shape->d[0] > 0 ? shape->d[0] : 1;
    return (Rows){ tensor_real(prediction), n, width, n / batch > 0 ? n / batch : 1 };
}

int64_t tally_best(const real *row, int64_t width)
{
    int64_t best = 0;
    for (int64_t i = 1; i < width; i++)
        if (row[i] > row[best])
            best = i;
    return best;
}

int64_t tally_class(const Tensor *target, int64_t i, int64_t width)
{
    if (target->dtype == DTYPE_INT32)
        return tensor_int(target)[i];
    if (target->dtype == DTYPE_UINT8)
        return tensor_byte(target)[i];
    return tally_best(tensor_real(target) + i * width, width);
}

void tally_classes(double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n; i++) {
        double w = weight ? (double)weight[i / rows.per_sample] : 1;
        sums[1] += w;
        if (tally_best(rows.data + i * rows.width, rows.width) == tally_class(target, i, rows.width))
            sums[0] += w;
    }
}

void tally_threshold(double *sums, const Tensor *prediction, const Tensor *target, const real *weight, double threshold)
{
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n * rows.width; i++) {
        double w = weight ? (double)weight[i / rows.width / rows.per_sample] : 1;
        bool fires = (double)rows.data[i] > threshold;
        sums[1] += w;
        if ((fires ? 1.0 : 0.0) == tensor_get(target, i))
            sums[0] += w;
    }
}

void tally_error(double *sums, const Tensor *prediction, const Tensor *target, const real *weight, int power)
{
    Rows rows = tally_rows(prediction);
    for (int64_t i = 0; i < rows.n * rows.width; i++) {
        double w = weight ? (double)weight[i / rows.width / rows.per_sample] : 1;
        double d = (double)rows.data[i] - tensor_get(target, i);
        sums[0] += w * (power == 2 ? d * d : fabs(d));
        sums[1] += w;
    }
}

double tally_mean(const Args *args, double *sums, int64_t width)
{
    (void)args, (void)width;
    return sums[1] != 0 ? sums[0] / sums[1] : 0;
}
