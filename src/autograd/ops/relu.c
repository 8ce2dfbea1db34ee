// SPDX-License-Identifier: MIT
#include "autograd/each.h"

KERN_CLONES static void forward_run(real *y, const real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i]; /* NaN stays: a diverged network must show */
}

KERN_CLONES static void backward_run(const EachBack *run)
{
    EACH_BACK(run, Y > 0 ? DY : 0);
}

static void forward(OpCall *call)
{
    each_forward(call, forward_run, 1);
}

static void backward(OpCall *call)
{
    each_backward(call, backward_run, 1);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .low = 0.1, .high = 1 },
    { .in = { { 1, { 37 } } }, .n_in = 1, .low = -1, .high = -0.1 },
};

const Op op_relu = {
    .name = "relu",
    .doc = "relu(x) -> y: x where it is positive, else 0. The slope at 0 is 0.  Source: Nair and Hinton 2010.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.relu({-1, 2}); assert(y[1] == 0 and y[2] == 2)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
