// SPDX-License-Identifier: MIT
/* Source: Duchi et al. 2011, as keras/src/optimizers/adagrad.py computes it: epsilon inside the root and sums that begin with
 * initial_accumulator_value; PyTorch adds epsilon to the root. */
#include "train/optimizer.h"

enum { LEARNING_RATE, INITIAL, EPSILON };

static const ArgSpec args[] = {
    { .name = "learning_rate", .type = ARG_FLOAT, .fallback = "0.001", .most = 1e9, .help = "how far a step goes" },
    { .name = "initial_accumulator_value", .type = ARG_FLOAT, .fallback = "0.1", .most = 1e9, .help = "what the sums of squares begin with" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "1e-7", .most = 1, .help = "added to the root, against division by zero" },
};

enum { RATE, INSIDE, OUTSIDE };

static void begin(Update *u)
{
    double epsilon = u->args->v[EPSILON].u.f;
    u->c[RATE] = (real)u->learning_rate;
    u->c[INSIDE] = (real)(u->torch ? 0 : epsilon);
    u->c[OUTSIDE] = (real)(u->torch ? epsilon : 0);
}

KERN_CLONES static void step(const Update *u, real *restrict w, const real *restrict g, real *const *s, size_t n)
{
    const real rate = u->c[RATE], inside = u->c[INSIDE], outside = u->c[OUTSIDE];
    real *restrict sum = s[0];
    for (size_t i = 0; i < n; i++) {
        sum[i] += g[i] * g[i];
        w[i] -= rate * g[i] / (real_root(sum[i] + inside) + outside);
    }
}

static double slot_start(const Args *a, int slot)
{
    (void)slot;
    return a->v[INITIAL].u.f;
}

const OptimizerKind optimizer_adagrad = {
    .name = "adagrad",
    .class_name = "Adagrad",
    .doc = "Adagrad(learning_rate = 0.001, {initial_accumulator_value = 0.1, epsilon = 1e-7}): steps divided by the root of the sum of\n"
           "all squared gradients so far: weights that rarely get one keep large steps. Source: Duchi et al. 2011; arithmetic of Keras.",
    .example = "local o = nn.Adagrad(0.01); assert(o.initial_accumulator_value == 0.1)",
    .own_args = args,
    .n_own_args = sizeof args / sizeof *args,
    .slot_names = { "accumulator" },
    .slot_start = slot_start,
    .begin = begin,
    .step = step,
};
