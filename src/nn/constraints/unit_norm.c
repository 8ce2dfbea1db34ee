// SPDX-License-Identifier: MIT
/* Source: keras/src/constraints/constraints.py */
#include "nn/rule.h"

static const ArgSpec args[] = {
    RULE_AXES,
};

static void rescale(const double *v, double *scale)
{
    (void)v;
    *scale = 1 / (*scale + 1e-7);
}

static void apply(const double *v, real *w, const Shape *shape)
{
    rule_norms(w, shape, (unsigned)v[0], rescale, v);
}

const Constraint constraint_unit_norm = {
    .name = "unit_norm",
    .doc = "unit_norm(axis = 0): norms are scaled to 1.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .apply = apply,
};
