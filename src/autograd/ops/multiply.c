// SPDX-License-Identifier: MIT
#include "autograd/each.h"

KERN_CLONES static void forward_run(const Run *run)
{
    RUN_LOOP(run, = A * B);
}

KERN_CLONES static void grad_a(const Run *run)
{
    const real *const g = run->g;
    if (run->add)
        RUN_LOOP(run, += g[i] * B);
    else
        RUN_LOOP(run, = g[i] * B);
}

KERN_CLONES static void grad_b(const Run *run)
{
    const real *const g = run->g;
    if (run->add)
        RUN_LOOP(run, += g[i] * A);
    else
        RUN_LOOP(run, = g[i] * A);
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

const Op op_multiply = {
    .name = "multiply",
    .doc = "multiply(a, b) -> y: a * b, element by element.\n"
           "Shapes: broadcast by NumPy's rule: aligned at the last axis, a size of 1 is repeated.",
    .example = "local y = op.multiply({1, 2}, {10, 20}); assert(y[1] == 10 and y[2] == 40)",
    .in_least = 2,
    .in_most = 2,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = pair_infer,
    .forward = forward,
    .backward = backward,
};
