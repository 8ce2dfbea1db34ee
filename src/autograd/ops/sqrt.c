// SPDX-License-Identifier: MIT
#include <tgmath.h>

#include "autograd/each.h"

KERN_CLONES static void forward_run(real *y, const real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = sqrt(x[i]);
}

KERN_CLONES static void backward_run(const EachBack *run)
{
    EACH_BACK(run, DY / (2 * Y));
}

static void forward(OpCall *call)
{
    each_forward(call, forward_run, 4);
}

static void backward(OpCall *call)
{
    each_backward(call, backward_run, 4);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .low = 0.5, .high = 2 },
    { .in = { { 1, { 37 } } }, .n_in = 1, .low = 0.5, .high = 2 },
};

const Op op_sqrt = {
    .name = "sqrt",
    .doc = "sqrt(x) -> y: the square root; NaN for negative x. The slope at 0 is infinite.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.sqrt({4, 9}); assert(y[1] == 2 and y[2] == 3)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
