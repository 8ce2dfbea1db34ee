// SPDX-License-Identifier: MIT
/* Adam. Source: Kingma and Ba 2015, the form of the note before section 2.1, as keras/src/optimizers/adam.py computes it:
 *   alpha = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t),  w -= alpha * m / (sqrt(v) + epsilon)
 * so epsilon is added to the uncorrected root (algorithm 1 and PyTorch add it to the corrected one). Weight decay is
 * decoupled and comes before the step. amsgrad: Reddi et al. 2018. */
#include <math.h>

#include "base/pool.h"
#include "tensor/kern.h"
#include "train/compile.h"

enum { LEARNING_RATE, BETA_1, BETA_2, EPSILON, AMSGRAD, WEIGHT_DECAY };

static const ArgSpec args[] = {
    { .name = "learning_rate", .type = ARG_FLOAT, .fallback = "0.001", .most = 1e9, .help = "how far a step goes" },
    { .name = "beta_1", .type = ARG_FLOAT, .fallback = "0.9", .most = 1, .open_most = true, .help = "how slowly the mean of gradients forgets" },
    { .name = "beta_2", .type = ARG_FLOAT, .fallback = "0.999", .most = 1, .open_most = true, .help = "how slowly the mean of their squares forgets" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "1e-7", .most = 1, .help = "added to the root, against division by zero" },
    { .name = "amsgrad", .type = ARG_BOOL, .fallback = "false", .help = "divide by the largest root so far" },
    { .name = "weight_decay", .type = ARG_FLOAT, .fallback = "nil", .most = 1e9, .help = "shrink the weights by this times the rate" },
};

typedef struct Update {
    real *w, *m, *v, *most;
    const real *g;
    real alpha, one_less_b1, one_less_b2, epsilon, keep;
    size_t n, n_tiles;
} Update;

#ifdef HEBB_F64
#define ROOT sqrt
#else
#define ROOT sqrtf
#endif

KERN_CLONES static void step_plain(const Update *u, real *restrict w, real *restrict m, real *restrict v, const real *restrict g, size_t n)
{
    const real alpha = u->alpha, c1 = u->one_less_b1, c2 = u->one_less_b2, epsilon = u->epsilon, keep = u->keep;
    for (size_t i = 0; i < n; i++) {
        m[i] += (g[i] - m[i]) * c1;
        v[i] += (g[i] * g[i] - v[i]) * c2;
        w[i] = w[i] * keep - m[i] * alpha / (ROOT(v[i]) + epsilon);
    }
}

KERN_CLONES static void step_most(const Update *u, real *restrict w, real *restrict m, real *restrict v, real *restrict most,
                                  const real *restrict g, size_t n)
{
    const real alpha = u->alpha, c1 = u->one_less_b1, c2 = u->one_less_b2, epsilon = u->epsilon, keep = u->keep;
    for (size_t i = 0; i < n; i++) {
        m[i] += (g[i] - m[i]) * c1;
        v[i] += (g[i] * g[i] - v[i]) * c2;
        most[i] = most[i] > v[i] ? most[i] : v[i];
        w[i] = w[i] * keep - m[i] * alpha / (ROOT(most[i]) + epsilon);
    }
}

static void tile(void *ctx, size_t index, int worker)
{
    (void)worker;
    const Update *u = ctx;
    size_t first = pool_first(u->n, u->n_tiles, index), n = pool_first(u->n, u->n_tiles, index + 1) - first;
    if (u->most)
        step_most(u, u->w + first, u->m + first, u->v + first, u->most + first, u->g + first, n);
    else
        step_plain(u, u->w + first, u->m + first, u->v + first, u->g + first, n);
}

static void update(const Args *a, double learning_rate, int64_t t, real *w, const real *g, real *const *s, size_t n)
{
    double b1 = a->v[BETA_1].u.f, b2 = a->v[BETA_2].u.f, decay = a->v[WEIGHT_DECAY].given ? a->v[WEIGHT_DECAY].u.f : 0;
    Update u = { .w = w,
                 .m = s[0],
                 .v = s[1],
                 .most = s[2],
                 .g = g,
                 .alpha = (real)(learning_rate * sqrt(1 - pow(b2, (double)t)) / (1 - pow(b1, (double)t))),
                 .one_less_b1 = (real)(1 - b1),
                 .one_less_b2 = (real)(1 - b2),
                 .epsilon = (real)a->v[EPSILON].u.f,
                 .keep = (real)(1 - decay * learning_rate),
                 .n = n,
                 .n_tiles = pool_tiles(n, 4) };
    pool_run(u.n_tiles, tile, &u);
}

static int slots_used(const Args *a)
{
    return a->v[AMSGRAD].u.b ? 3 : 2;
}

const OptimizerKind optimizer_adam = {
    .name = "adam",
    .class_name = "Adam",
    .doc = "Adam(learning_rate = 0.001, {beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7, amsgrad = false, weight_decay = nil}):\n"
           "steps scaled by running means of the gradients and of their squares.\n"
           "Source: Kingma and Ba 2015; epsilon is placed as in Keras.",
    .example = "local o = nn.Adam(1e-3); assert(o.learning_rate == 1e-3)",
    .args = args,
    .n_args = sizeof args / sizeof args[0],
    .n_slots = 3,
    .slot_names = { "momentum", "velocity", "velocity_hat" },
    .slots_used = slots_used,
    .update = update,
};
