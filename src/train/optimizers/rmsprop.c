// SPDX-License-Identifier: MIT
/* Source: Hinton's lecture 6e (2012), as keras/src/optimizers/rmsprop.py computes it: epsilon inside the root and the learning
 * rate in the momentum; PyTorch adds epsilon to the root and keeps the rate out of the momentum. centered: Graves 2013, eq. 38-45. */
#include "train/optimizer.h"

enum { LEARNING_RATE, RHO, MOMENTUM, EPSILON, CENTERED };

static const ArgSpec args[] = {
    { .name = "learning_rate", .type = ARG_FLOAT, .fallback = "0.001", .most = 1e9, .help = "how far a step goes" },
    { .name = "rho", .type = ARG_FLOAT, .fallback = "0.9", .most = 1, .help = "how slowly the mean of squares forgets" },
    { .name = "momentum", .type = ARG_FLOAT, .fallback = "0.0", .most = 1, .help = "share of the last step that is kept" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "1e-7", .most = 1, .help = "added to the root, against division by zero" },
    { .name = "centered", .type = ARG_BOOL, .fallback = "false", .help = "divide by the deviation: the squared mean is taken off" },
};

enum { RHO_, ONE_LESS_RHO, INSIDE, OUTSIDE, MU, INTO, OUT };

static void begin(Update *u)
{
    double rho = u->args->v[RHO].u.f, epsilon = u->args->v[EPSILON].u.f;
    u->c[RHO_] = (real)rho;
    u->c[ONE_LESS_RHO] = (real)(1 - rho);
    u->c[INSIDE] = (real)(u->torch ? 0 : epsilon);
    u->c[OUTSIDE] = (real)(u->torch ? epsilon : 0);
    u->c[MU] = (real)u->args->v[MOMENTUM].u.f;
    u->c[INTO] = (real)(u->torch ? 1 : u->learning_rate);
    u->c[OUT] = (real)(u->torch ? u->learning_rate : 1);
}

KERN_CLONES static void step(const Update *u, real *restrict w, const real *restrict g, real *const *s, size_t n)
{
    const real rho = u->c[RHO_], one_less = u->c[ONE_LESS_RHO], inside = u->c[INSIDE], outside = u->c[OUTSIDE];
    const real mu = u->c[MU], into = u->c[INTO], out = u->c[OUT], rate = into * out;
    real *restrict v = s[0], *restrict m = s[1], *restrict mean = s[2];
    for (size_t i = 0; i < n; i++)
        v[i] = rho * v[i] + one_less * (g[i] * g[i]);
    for (size_t i = 0; mean && i < n; i++)
        mean[i] = rho * mean[i] + one_less * g[i];
    if (!m && !mean) {
        for (size_t i = 0; i < n; i++)
            w[i] -= rate * g[i] / (real_root(v[i] + inside) + outside);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        real taken = mean ? mean[i] * mean[i] : 0;
        real by = real_root(v[i] - taken + inside) + outside;
        if (m)
            m[i] = mu * m[i] + into * g[i] / by;
        w[i] -= m ? out * m[i] : rate * g[i] / by;
    }
}

static unsigned slots_used(const Args *a)
{
    return 1u | (a->v[MOMENTUM].u.f > 0 ? 2u : 0) | (a->v[CENTERED].u.b ? 4u : 0);
}

const OptimizerKind optimizer_rmsprop = {
    .name = "rmsprop",
    .class_name = "RMSprop",
    .doc = "RMSprop(learning_rate = 0.001, {rho = 0.9, momentum = 0.0, epsilon = 1e-7, centered = false}):\n"
           "steps divided by the root of a running mean of squared gradients.\n"
           "Source: Hinton 2012, lecture 6e; arithmetic of Keras.",
    .example = "local o = nn.RMSprop{momentum = 0.5}; assert(o.rho == 0.9)",
    .own_args = args,
    .n_own_args = sizeof args / sizeof *args,
    .slot_names = { "velocity", "momentum", "average_gradient" },
    .slots_used = slots_used,
    .begin = begin,
    .step = step,
};
