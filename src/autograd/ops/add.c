// SPDX-License-Identifier: MIT
#include "autograd/each.h"

KERN_CLONES static void forward_run(const Run *run)
{
    RUN_LOOP(run, = A + B);
}

static void forward(OpCall *call)
{
    pair_forward(call, forward_run);
}

static void backward(OpCall *call)
{
    pair_backward_linear(call, 0, 1);
    pair_backward_linear(call, 1, 1);
}

static const char *const in_names[] = { "a", "b" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } }, { 2, { 3, 4 } } }, .n_in = 2 },
    { .in = { { 2, { 3, 4 } }, { 1, { 4 } } }, .n_in = 2 },
    { .in = { { 0, { 0 } }, { 2, { 2, 3 } } }, .n_in = 2 },
    { .in = { { 3, { 2, 1, 3 } }, { 4, { 2, 1, 4, 1 } } }, .n_in = 2 },
};

const Op op_add = {
    .name = "add",
    .doc = "add(a, b) -> y: a + b.\n"
           "Shapes: broadcast by NumPy's rule: aligned at the last axis, a size of 1 is repeated.",
    .example = "local y = op.add({1, 2}, {10, 20}); assert(y[1] == 11 and y[2] == 22)",
    .in_least = 2,
    .in_most = 2,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .passes_grad = 3,
    .infer = pair_infer,
    .forward = forward,
    .backward = backward,
};
