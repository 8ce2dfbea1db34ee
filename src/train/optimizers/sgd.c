// SPDX-License-Identifier: MIT
/* Stochastic gradient descent. Source: keras/src/optimizers/sgd.py: the learning rate is part of the velocity, so that a
 * rate changed by hand leaves the old velocity as it was. Weight decay is decoupled and comes before the step. */
#include "base/pool.h"
#include "tensor/kern.h"
#include "train/compile.h"

enum { LEARNING_RATE, MOMENTUM, NESTEROV, WEIGHT_DECAY };

static const ArgSpec args[] = {
    { .name = "learning_rate", .type = ARG_FLOAT, .fallback = "0.01", .most = 1e9, .help = "how far a step goes" },
    { .name = "momentum", .type = ARG_FLOAT, .fallback = "0.0", .most = 1, .help = "share of the last step that is kept, 0 … 1" },
    { .name = "nesterov", .type = ARG_BOOL, .fallback = "false", .help = "look ahead along the momentum" },
    { .name = "weight_decay", .type = ARG_FLOAT, .fallback = "nil", .most = 1e9, .help = "shrink the weights by this times the rate" },
};

typedef struct Update {
    real *w, *m;
    const real *g;
    real lr, momentum, keep; /* keep: 1 - weight_decay * lr */
    bool nesterov;
    size_t n, n_tiles;
} Update;

KERN_CLONES static void step_plain(real *restrict w, const real *restrict g, size_t n, real lr, real keep)
{
    for (size_t i = 0; i < n; i++)
        w[i] = w[i] * keep - lr * g[i];
}

KERN_CLONES static void step_momentum(real *restrict w, real *restrict m, const real *restrict g, size_t n, real lr, real mu, real keep)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = mu * m[i] - lr * g[i];
        w[i] = w[i] * keep + m[i];
    }
}

KERN_CLONES static void step_nesterov(real *restrict w, real *restrict m, const real *restrict g, size_t n, real lr, real mu, real keep)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = mu * m[i] - lr * g[i];
        w[i] = w[i] * keep + mu * m[i] - lr * g[i];
    }
}

static void tile(void *ctx, size_t index, int worker)
{
    (void)worker;
    const Update *u = ctx;
    size_t first = pool_first(u->n, u->n_tiles, index), n = pool_first(u->n, u->n_tiles, index + 1) - first;
    if (!u->m)
        step_plain(u->w + first, u->g + first, n, u->lr, u->keep);
    else if (u->nesterov)
        step_nesterov(u->w + first, u->m + first, u->g + first, n, u->lr, u->momentum, u->keep);
    else
        step_momentum(u->w + first, u->m + first, u->g + first, n, u->lr, u->momentum, u->keep);
}

static void update(const Args *a, double learning_rate, int64_t t, real *w, const real *g, real *const *s, size_t n)
{
    (void)t;
    double decay = a->v[WEIGHT_DECAY].given ? a->v[WEIGHT_DECAY].u.f : 0;
    Update u = { .w = w,
                 .m = s[0],
                 .g = g,
                 .lr = (real)learning_rate,
                 .momentum = (real)a->v[MOMENTUM].u.f,
                 .keep = (real)(1 - decay * learning_rate),
                 .nesterov = a->v[NESTEROV].u.b,
                 .n = n,
                 .n_tiles = pool_tiles(n, 2) };
    pool_run(u.n_tiles, tile, &u);
}

static int slots_used(const Args *a)
{
    return a->v[MOMENTUM].u.f > 0 ? 1 : 0;
}

const OptimizerKind optimizer_sgd = {
    .name = "sgd",
    .class_name = "SGD",
    .doc = "SGD(learning_rate = 0.01, {momentum = 0.0, nesterov = false, weight_decay = nil}): gradient descent.\n"
           "w = w - learning_rate * g; with momentum m = momentum * m - learning_rate * g, w = w + m.\n"
           "Source: Sutskever et al. 2013; arithmetic of Keras.",
    .example = "local o = nn.SGD(0.1, {momentum = 0.9}); assert(o.learning_rate == 0.1)",
    .args = args,
    .n_args = sizeof args / sizeof args[0],
    .n_slots = 1,
    .slot_names = { "momentum" },
    .slots_used = slots_used,
    .update = update,
};
