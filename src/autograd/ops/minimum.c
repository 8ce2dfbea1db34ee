// SPDX-License-Identifier: MIT
#include "autograd/each.h"

KERN_CLONES static void forward_run(const Run *run)
{
    RUN_LOOP(run, = A < B ? A : B);
}

KERN_CLONES static void grad_a(const Run *run)
{
    const real *const g = run->g;
    if (run->add)
        RUN_LOOP(run, += g[i] * (A < B ? (real)1 : A == B ? (real)0.5 : 0));
    else
        RUN_LOOP(run, = g[i] * (A < B ? (real)1 : A == B ? (real)0.5 : 0));
}

KERN_CLONES static void grad_b(const Run *run)
{
    const real *const g = run->g;
    if (run->add)
        RUN_LOOP(run, += g[i] * (B < A ? (real)1 : A == B ? (real)0.5 : 0));
    else
        RUN_LOOP(run, = g[i] * (B < A ? (real)1 : A == B ? (real)0.5 : 0));
}

static void forward(OpCall *call)
{
    pair_forward(call, forward_run);
}

static void backward(OpCall *call)
{
    pair_backward(call, 0, grad_a);
    pair_backward(call, 1, grad_b);
}

static const char *const in_names[] = { "a", "b" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } }, { 2, { 3, 4 } } }, .n_in = 2 },
    { .in = { { 2, { 3, 4 } }, { 1, { 4 } } }, .n_in = 2 },
    { .in = { { 0, { 0 } }, { 2, { 2, 3 } } }, .n_in = 2 },
    { .in = { { 3, { 2, 1, 3 } }, { 4, { 2, 1, 4, 1 } } }, .n_in = 2 },
};

const Op op_minimum = {
    .name = "minimum",
    .doc = "minimum(a, b) -> y: the smaller of a and b, element by element. Where they are equal each gets half of the gradient.\n"
           "Shapes: broadcast by NumPy's rule: aligned at the last axis, a size of 1 is repeated.",
    .example = "local y = op.minimum({1, 5}, {3, 2}); assert(y[1] == 1 and y[2] == 2)",
    .in_least = 2,
    .in_most = 2,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = pair_infer,
    .forward = forward,
    .backward = backward,
};
