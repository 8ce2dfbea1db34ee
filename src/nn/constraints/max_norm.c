// SPDX-License-Identifier: MIT
/* Source: keras/src/constraints/constraints.py */
#include <math.h>

#include "nn/rule.h"

static const ArgSpec args[] = {
    { .name = "max_value", .type = ARG_FLOAT, .fallback = "2", .least = 0, .most = 1e9, .help = "largest norm" },
    RULE_AXES,
};

static void rescale(const double *v, double *scale)
{
    *scale = fmin(*scale, v[0]) / (*scale + 1e-7);
}

static void apply(const double *v, real *w, const Shape *shape)
{
    rule_norms(w, shape, (unsigned)v[1], rescale, v);
}

const Constraint constraint_max_norm = {
    .name = "max_norm",
    .doc = "max_norm(max_value = 2, axis = 0): norms are scaled down to max_value.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .apply = apply,
};
