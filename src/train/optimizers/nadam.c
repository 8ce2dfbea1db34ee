// SPDX-License-Identifier: MIT
/* Source: Dozat 2016, with its growing momentum u_t = beta_1 (1 - 0.96^(d t) / 2); Keras has d = 1 (keras/src/optimizers/nadam.py),
 * PyTorch d = 0.004 (its momentum_decay). The product of all u up to t is worked out anew each time, so that t is the only state;
 * it ends where it no longer counts. */
#include <math.h>

#include "train/optimizer.h"

enum { LEARNING_RATE, BETA_1, BETA_2, EPSILON };

static const ArgSpec args[] = {
    { .name = "learning_rate", .type = ARG_FLOAT, .fallback = "0.001", .most = 1e9, .help = "how far a step goes" },
    { .name = "beta_1", .type = ARG_FLOAT, .fallback = "0.9", .most = 1, .open_most = true, .help = "how slowly the mean of gradients forgets" },
    { .name = "beta_2", .type = ARG_FLOAT, .fallback = "0.999", .most = 1, .open_most = true, .help = "how slowly the mean of their squares forgets" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "1e-7", .most = 1, .help = "added to the root, against division by zero" },
};

enum { OF_M, OF_G, ONE_LESS_B1, ONE_LESS_B2, EPS, ROOT_BY };

static void begin(Update *u)
{
    double b1 = u->args->v[BETA_1].u.f, b2 = u->args->v[BETA_2].u.f, decay = u->torch ? 0.004 : 1;
    double fall = pow(0.96, decay), power = 1, product = 1;
    for (int64_t i = 1; i <= u->t && product > 1e-20; i++)
        product *= b1 * (1 - 0.5 * (power *= fall));
    double now = b1 * (1 - 0.5 * pow(0.96, decay * (double)u->t)), next = b1 * (1 - 0.5 * pow(0.96, decay * (double)(u->t + 1)));
    u->c[OF_M] = (real)(u->learning_rate * next / (1 - product * next));
    u->c[OF_G] = (real)(u->learning_rate * (1 - now) / (1 - product));
    u->c[ONE_LESS_B1] = (real)(1 - b1);
    u->c[ONE_LESS_B2] = (real)(1 - b2);
    u->c[EPS] = (real)u->args->v[EPSILON].u.f;
    u->c[ROOT_BY] = (real)(1 / sqrt(1 - pow(b2, (double)u->t)));
}

KERN_CLONES static void step(const Update *u, real *restrict w, const real *restrict g, real *const *s, size_t n)
{
    const real of_m = u->c[OF_M], of_g = u->c[OF_G], c1 = u->c[ONE_LESS_B1], c2 = u->c[ONE_LESS_B2], epsilon = u->c[EPS], by = u->c[ROOT_BY];
    real *restrict m = s[0], *restrict v = s[1];
    for (size_t i = 0; i < n; i++) {
        m[i] += (g[i] - m[i]) * c1;
        v[i] += (g[i] * g[i] - v[i]) * c2;
        w[i] -= (of_m * m[i] + of_g * g[i]) / (real_root(v[i]) * by + epsilon);
    }
}

const OptimizerKind optimizer_nadam = {
    .name = "nadam",
    .class_name = "Nadam",
    .doc = "Nadam(learning_rate = 0.001, {beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7}): Adam that looks ahead along its momentum.\n"
           "Source: Dozat 2016; arithmetic of Keras.",
    .example = "local o = nn.Nadam(1e-3); assert(o.beta_1 == 0.9)",
    .own_args = args,
    .n_own_args = sizeof args / sizeof *args,
    .slot_names = { "momentum", "velocity" },
    .begin = begin,
    .step = step,
};
