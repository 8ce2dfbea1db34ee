// SPDX-License-Identifier: MIT
/* Gradient descent with momentum. Keras (keras/src/optimizers/sgd.py) keeps the learning rate in the velocity, so that a rate
 * changed by hand leaves the old velocity as it was: m = momentum m - rate g, w += m. PyTorch keeps it out: v = momentum v + g,
 * w -= rate v. */
#include "train/optimizer.h"

enum { LEARNING_RATE, MOMENTUM, NESTEROV };

static const ArgSpec args[] = {
    { .name = "learning_rate", .type = ARG_FLOAT, .fallback = "0.01", .most = 1e9, .help = "how far a step goes" },
    { .name = "momentum", .type = ARG_FLOAT, .fallback = "0.0", .most = 1, .help = "share of the last step that is kept" },
    { .name = "nesterov", .type = ARG_BOOL, .fallback = "false", .help = "look ahead along the momentum" },
};

/* Both are m = momentum m + into g, w += out m; nesterov: w += out (momentum m + into g). */
enum { MU, INTO, OUT };

static void begin(Update *u)
{
    u->c[MU] = (real)u->args->v[MOMENTUM].u.f;
    u->c[INTO] = (real)(u->torch ? 1 : -u->learning_rate);
    u->c[OUT] = (real)(u->torch ? -u->learning_rate : 1);
}

KERN_CLONES static void step(const Update *u, real *restrict w, const real *restrict g, real *const *s, size_t n)
{
    const real mu = u->c[MU], into = u->c[INTO], out = u->c[OUT];
    real *restrict m = s[0];
    if (!m) {
        const real rate = into * out;
        for (size_t i = 0; i < n; i++)
            w[i] += rate * g[i];
    } else if (u->args->v[NESTEROV].u.b) {
        for (size_t i = 0; i < n; i++) {
            m[i] = mu * m[i] + into * g[i];
            w[i] += out * (mu * m[i] + into * g[i]);
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            m[i] = mu * m[i] + into * g[i];
            w[i] += out * m[i];
        }
    }
}

static unsigned slots_used(const Args *a)
{
    return a->v[MOMENTUM].u.f > 0 ? 1 : 0;
}

const OptimizerKind optimizer_sgd = {
    .name = "sgd",
    .class_name = "SGD",
    .doc = "SGD(learning_rate = 0.01, {momentum = 0.0, nesterov = false}): gradient descent.\n"
           "w = w - learning_rate * g; with momentum m = momentum * m - learning_rate * g, w = w + m.\n"
           "Source: Sutskever et al. 2013; arithmetic of Keras.",
    .example = "local o = nn.SGD(0.1, {momentum = 0.9}); assert(o.learning_rate == 0.1)",
    .own_args = args,
    .n_own_args = sizeof args / sizeof *args,
    .slot_names = { "momentum" },
    .slots_used = slots_used,
    .begin = begin,
    .step = step,
};
