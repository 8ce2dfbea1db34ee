// SPDX-License-Identifier: MIT
/* Source: Chen et al. 2023, algorithm 2; keras/src/optimizers/lion.py. PyTorch has none: compat changes nothing. */
#include "train/optimizer.h"

enum { LEARNING_RATE, BETA_1, BETA_2 };

static const ArgSpec args[] = {
    { .name = "learning_rate", .type = ARG_FLOAT, .fallback = "0.001", .most = 1e9, .help = "how far a step goes" },
    { .name = "beta_1", .type = ARG_FLOAT, .fallback = "0.9", .most = 1, .help = "share of the momentum in the direction" },
    { .name = "beta_2", .type = ARG_FLOAT, .fallback = "0.99", .most = 1, .help = "how slowly the momentum forgets" },
};

enum { RATE, B1, ONE_LESS_B1, B2, ONE_LESS_B2 };

static void begin(Update *u)
{
    double b1 = u->args->v[BETA_1].u.f, b2 = u->args->v[BETA_2].u.f;
    u->c[RATE] = (real)u->learning_rate;
    u->c[B1] = (real)b1;
    u->c[ONE_LESS_B1] = (real)(1 - b1);
    u->c[B2] = (real)b2;
    u->c[ONE_LESS_B2] = (real)(1 - b2);
}

KERN_CLONES static void step(const Update *u, real *restrict w, const real *restrict g, real *const *s, size_t n)
{
    const real rate = u->c[RATE], b1 = u->c[B1], c1 = u->c[ONE_LESS_B1], b2 = u->c[B2], c2 = u->c[ONE_LESS_B2];
    real *restrict m = s[0];
    for (size_t i = 0; i < n; i++) {
        real way = m[i] * b1 + g[i] * c1;
        w[i] -= way > 0 ? rate : way < 0 ? -rate : 0;
        m[i] = m[i] * b2 + g[i] * c2;
    }
}

const OptimizerKind optimizer_lion = {
    .name = "lion",
    .class_name = "Lion",
    .doc = "Lion(learning_rate = 0.001, {beta_1 = 0.9, beta_2 = 0.99}): every weight moves by the learning rate, in the direction of a\n"
           "momentum; it wants rates 3 to 10 times smaller than Adam's. Source: Chen et al. 2023.",
    .example = "local o = nn.Lion(1e-4); assert(o.beta_2 == 0.99)",
    .own_args = args,
    .n_own_args = sizeof args / sizeof *args,
    .slot_names = { "momentum" },
    .decoupled = true,
    .begin = begin,
    .step = step,
};
