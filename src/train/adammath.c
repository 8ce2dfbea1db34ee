// SPDX-License-Identifier: MIT
/* Source: Kingma and Ba 2015, the form of the note before section 2.1, as keras/src/optimizers/adam.py computes it:
 *   alpha = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t),  w -= alpha * m / (sqrt(v) + epsilon)
 * so epsilon is added to the uncorrected root (algorithm 1 and PyTorch add it to the corrected one). amsgrad: Reddi et al. 2018. */
#include "train/adammath.h"

#include <math.h>

enum { ALPHA, ONE_LESS_B1, ONE_LESS_B2, EPS, ROOT_BY };

void adam_begin(Update *u)
{
    double b1 = args_float(u->args, "beta_1"), b2 = args_float(u->args, "beta_2"), t = (double)u->t;
    double root = sqrt(1 - pow(b2, t)), rate = u->learning_rate / (1 - pow(b1, t));
    u->c[ALPHA] = (real)(u->torch ? rate : rate * root);
    u->c[ROOT_BY] = (real)(u->torch ? 1 / root : 1); /* the root is corrected before epsilon is added */
    u->c[ONE_LESS_B1] = (real)(1 - b1);
    u->c[ONE_LESS_B2] = (real)(1 - b2);
    u->c[EPS] = (real)args_float(u->args, "epsilon");
}

KERN_CLONES static void step_plain(const Update *u, real *restrict w, real *restrict m, real *restrict v, const real *restrict g, size_t n)
{
    const real alpha = u->c[ALPHA], c1 = u->c[ONE_LESS_B1], c2 = u->c[ONE_LESS_B2], epsilon = u->c[EPS], by = u->c[ROOT_BY];
    for (size_t i = 0; i < n; i++) {
        m[i] += (g[i] - m[i]) * c1;
        v[i] += (g[i] * g[i] - v[i]) * c2;
        w[i] -= m[i] * alpha / (real_root(v[i]) * by + epsilon);
    }
}

KERN_CLONES static void step_most(const Update *u, real *restrict w, real *restrict m, real *restrict v, real *restrict most,
                                  const real *restrict g, size_t n)
{
    const real alpha = u->c[ALPHA], c1 = u->c[ONE_LESS_B1], c2 = u->c[ONE_LESS_B2], epsilon = u->c[EPS], by = u->c[ROOT_BY];
    for (size_t i = 0; i < n; i++) {
        m[i] += (g[i] - m[i]) * c1;
        v[i] += (g[i] * g[i] - v[i]) * c2;
        most[i] = most[i] > v[i] ? most[i] : v[i];
        w[i] -= m[i] * alpha / (real_root(most[i]) * by + epsilon);
    }
}

void adam_step(const Update *u, real *restrict w, const real *restrict g, real *const *s, size_t n)
{
    if (s[2])
        step_most(u, w, s[0], s[1], s[2], g, n);
    else
        step_plain(u, w, s[0], s[1], g, n);
}

unsigned adam_slots(const Args *a)
{
    return args_bool(a, "amsgrad") ? 7 : 3;
}
