// SPDX-License-Identifier: MIT
/* Gram and Schmidt, each vector twice ("twice is enough", Kahan and Parlett): that is the Q of a QR decomposition whose R has a
 * positive diagonal. Sums are doubles and what is stored is rounded to float, so that the numbers are the same in every MODE. */
#include <math.h>

#include "nn/init.h"

#define COLUMNS 32 /* whose products are taken at a time */

static void store(real *to, double number)
{
    *to = (real)(float)number;
}

static void make_rows(real *q, int64_t rows, int64_t n)
{
    for (int64_t r = 0; r < rows; r++) {
        real *v = q + r * n;
        double length = 0;
        for (int64_t before = 0; before < 2 * r; before++) {
            const real *u = q + before % r * n;
            double dot = 0;
            for (int64_t i = 0; i < n; i++)
                dot += (double)u[i] * (double)v[i];
            for (int64_t i = 0; i < n; i++)
                store(&v[i], (double)v[i] - dot * (double)u[i]);
        }
        for (int64_t i = 0; i < n; i++)
            length += (double)v[i] * (double)v[i];
        for (int64_t i = 0; i < n; i++)
            store(&v[i], (double)v[i] / sqrt(length));
    }
}

/* Take columns first … first+n-1 out of column c; walked by lines, which lie together. */
static void take_out(real *q, int64_t rows, int64_t cols, int64_t c, int64_t first, int64_t n)
{
    double dot[COLUMNS] = { 0 };
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < n; j++)
            dot[j] += (double)q[r * cols + first + j] * (double)q[r * cols + c];
    for (int64_t r = 0; r < rows; r++) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++)
            sum += dot[j] * (double)q[r * cols + first + j];
        store(&q[r * cols + c], (double)q[r * cols + c] - sum);
    }
}

static void make_columns(real *q, int64_t rows, int64_t cols)
{
    for (int64_t c = 0; c < cols; c++) {
        double length = 0;
        for (int twice = 0; twice < 2; twice++)
            for (int64_t first = 0; first < c; first += COLUMNS)
                take_out(q, rows, cols, c, first, c - first < COLUMNS ? c - first : COLUMNS);
        for (int64_t r = 0; r < rows; r++)
            length += (double)q[r * cols + c] * (double)q[r * cols + c];
        for (int64_t r = 0; r < rows; r++)
            store(&q[r * cols + c], (double)q[r * cols + c] / sqrt(length));
    }
}

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    int64_t cols = shape->d[shape->rank - 1], rows = cols > 0 ? shape_count(shape) / cols : 0;
    (void)fan_in, (void)fan_out;
    init_normal(value, rows * cols, 0, 1, rng);
    if (rows < cols)
        make_rows(value, rows, cols);
    else
        make_columns(value, rows, cols);
    for (int64_t i = 0; i < rows * cols; i++)
        value[i] = (real)(float)((double)value[i] * args_float(args, "gain"));
}

static const ArgSpec args[] = {
    { .name = "gain", .type = ARG_FLOAT, .fallback = "1", .least = -1e30, .most = 1e30, .help = "the length of each" },
};

const Initializer initializer_orthogonal = {
    .name = "orthogonal",
    .doc = "A matrix with orthogonal columns (rows, where it is wider than high) of length gain; a kernel counts as the matrix\n"
           "[all axes but the last, last]. For recurrent kernels.  Source: Saxe et al. 2014.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .rank_least = 2,
    .rank_most = SHAPE_MOST,
    .fill = fill,
};
