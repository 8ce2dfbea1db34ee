// SPDX-License-Identifier: MIT
/* Source: Zeiler 2012, algorithm 1, with a learning rate before the step (keras/src/optimizers/adadelta.py). Keras and PyTorch
 * agree but for weight decay. */
#include "train/optimizer.h"

enum { LEARNING_RATE, RHO, EPSILON };

static const ArgSpec args[] = {
    { .name = "learning_rate", .type = ARG_FLOAT, .fallback = "0.001", .most = 1e9, .help = "how far a step goes" },
    { .name = "rho", .type = ARG_FLOAT, .fallback = "0.95", .most = 1, .help = "how slowly the means of squares forget" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "1e-7", .most = 1, .help = "added to the root, against division by zero" },
};

enum { RATE, RHO_, ONE_LESS_RHO, EPS };

static void begin(Update *u)
{
    u->c[RATE] = (real)u->learning_rate;
    u->c[RHO_] = (real)u->args->v[RHO].u.f;
    u->c[ONE_LESS_RHO] = (real)(1 - u->args->v[RHO].u.f);
    u->c[EPS] = (real)u->args->v[EPSILON].u.f;
}

KERN_CLONES static void step(const Update *u, real *restrict w, const real *restrict g, real *const *s, size_t n)
{
    const real rate = u->c[RATE], rho = u->c[RHO_], one_less = u->c[ONE_LESS_RHO], epsilon = u->c[EPS];
    real *restrict squares = s[0], *restrict moves = s[1];
    for (size_t i = 0; i < n; i++) {
        squares[i] = rho * squares[i] + one_less * (g[i] * g[i]);
        real move = real_root(moves[i] + epsilon) * g[i] / real_root(squares[i] + epsilon);
        moves[i] = rho * moves[i] + one_less * (move * move);
        w[i] -= rate * move;
    }
}

const OptimizerKind optimizer_adadelta = {
    .name = "adadelta",
    .class_name = "Adadelta",
    .doc = "Adadelta(learning_rate = 0.001, {rho = 0.95, epsilon = 1e-7}): steps in the units of the weights, from running means of\n"
           "squared gradients and squared steps. The paper's own learning rate is 1. Source: Zeiler 2012.",
    .example = "local o = nn.Adadelta(1); assert(o.rho == 0.95)",
    .own_args = args,
    .n_own_args = sizeof args / sizeof *args,
    .slot_names = { "accumulated_grad", "accumulated_delta_var" },
    .begin = begin,
    .step = step,
};
