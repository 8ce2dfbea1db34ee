// SPDX-License-Identifier: MIT
/* Source: keras/src/constraints/constraints.py */
#include "nn/rule.h"

static void apply(const double *v, real *w, const Shape *shape)
{
    (void)v;
    for (int64_t i = 0, n = shape_count(shape); i < n; i++)
        w[i] = w[i] >= 0 ? w[i] : 0;
}

const Constraint constraint_non_neg = {
    .name = "non_neg",
    .doc = "non_neg: numbers below 0 become 0.",
    .apply = apply,
};
