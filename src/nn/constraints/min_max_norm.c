// SPDX-License-Identifier: MIT
/* Source: keras/src/constraints/constraints.py */
#include <math.h>

#include "nn/rule.h"

static const ArgSpec args[] = {
    { .name = "min_value", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1e9, .help = "smallest norm" },
    { .name = "max_value", .type = ARG_FLOAT, .fallback = "1", .least = 0, .most = 1e9, .help = "largest norm" },
    { .name = "rate", .type = ARG_FLOAT, .fallback = "1", .least = 0, .most = 1e9, .help = "how much of the way is gone at each update" },
    RULE_AXES,
};

static void rescale(const double *v, double *scale)
{
    double wanted = fmin(fmax(*scale, v[0]), v[1]);
    *scale = (v[2] * wanted + (1 - v[2]) * *scale) / (*scale + 1e-7);
}

static void apply(const double *v, real *w, const Shape *shape)
{
    rule_norms(w, shape, (unsigned)v[3], rescale, v);
}

const Constraint constraint_min_max_norm = {
    .name = "min_max_norm",
    .doc = "min_max_norm(min_value = 0, max_value = 1, rate = 1, axis = 0): norms are brought between the two.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .apply = apply,
};
