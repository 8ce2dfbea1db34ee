// SPDX-License-Identifier: MIT
/* Source: Kingma and Ba 2015, section 7.1, as keras/src/optimizers/adamax.py computes it: epsilon is added to the norm that
 * divides; PyTorch adds it to |g| before the larger is taken. */
#include <math.h>

#include "train/optimizer.h"

enum { LEARNING_RATE, BETA_1, BETA_2, EPSILON };

static const ArgSpec args[] = {
    { .name = "learning_rate", .type = ARG_FLOAT, .fallback = "0.001", .most = 1e9, .help = "how far a step goes" },
    { .name = "beta_1", .type = ARG_FLOAT, .fallback = "0.9", .most = 1, .open_most = true, .help = "how slowly the mean of gradients forgets" },
    { .name = "beta_2", .type = ARG_FLOAT, .fallback = "0.999", .most = 1, .open_most = true, .help = "how slowly the largest gradient is forgotten" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "1e-7", .most = 1, .help = "added to the root, against division by zero" },
};

enum { ALPHA, ONE_LESS_B1, B2, WITH, BY };

static void begin(Update *u)
{
    double b1 = u->args->v[BETA_1].u.f, epsilon = u->args->v[EPSILON].u.f;
    u->c[ALPHA] = (real)(u->learning_rate / (1 - pow(b1, (double)u->t)));
    u->c[ONE_LESS_B1] = (real)(1 - b1);
    u->c[B2] = (real)u->args->v[BETA_2].u.f;
    u->c[WITH] = (real)(u->torch ? epsilon : 0);
    u->c[BY] = (real)(u->torch ? 0 : epsilon);
}

KERN_CLONES static void step(const Update *u, real *restrict w, const real *restrict g, real *const *s, size_t n)
{
    const real alpha = u->c[ALPHA], c1 = u->c[ONE_LESS_B1], b2 = u->c[B2], with = u->c[WITH], by = u->c[BY];
    real *restrict m = s[0], *restrict norm = s[1];
    for (size_t i = 0; i < n; i++) {
        real size = (g[i] < 0 ? -g[i] : g[i]) + with, old = b2 * norm[i];
        m[i] += (g[i] - m[i]) * c1;
        norm[i] = old > size ? old : size;
        w[i] -= alpha * m[i] / (norm[i] + by);
    }
}

const OptimizerKind optimizer_adamax = {
    .name = "adamax",
    .class_name = "Adamax",
    .doc = "Adamax(learning_rate = 0.001, {beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7}): Adam with the largest recent gradient in\n"
           "place of the mean of squares. Source: Kingma and Ba 2015, section 7.1; arithmetic of Keras.",
    .example = "local o = nn.Adamax(2e-3); assert(o.beta_2 == 0.999)",
    .own_args = args,
    .n_own_args = sizeof args / sizeof *args,
    .slot_names = { "momentum", "norm" },
    .begin = begin,
    .step = step,
};
