// SPDX-License-Identifier: MIT
#include "autograd/each.h"

KERN_CLONES static void compare_run(const Run *run)
{
    RUN_LOOP(run, = A != B ? (real)1 : (real)0);
}

static void forward(OpCall *call)
{
    pair_forward(call, compare_run);
}

static const char *const in_names[] = { "a", "b" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } }, { 2, { 3, 4 } } }, .n_in = 2 },
    { .in = { { 2, { 3, 4 } }, { 1, { 4 } } }, .n_in = 2 },
};

const Op op_not_equal = {
    .name = "not_equal",
    .doc = "not_equal(a, b) -> y: 1 where a and b differ; NaN differs from everything, else 0, element by element. No gradient passes.\n"
           "Shapes: broadcast by NumPy's rule.",
    .example = "local y = op.not_equal({1, 2}, 2); assert(y[1] == 1 and y[2] == 0)",
    .in_least = 2,
    .in_most = 2,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = pair_infer,
    .forward = forward,
};
