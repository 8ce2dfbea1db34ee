// SPDX-License-Identifier: MIT
#include "autograd/each.h"

KERN_CLONES static void backward_run(const EachBack *run)
{
    EACH_BACK(run, DY / X);
}

static void forward(OpCall *call)
{
    each_forward(call, kern_log, 8);
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

const Op op_log = {
    .name = "log",
    .doc = "log(x) -> y: the natural logarithm; -inf at 0, NaN below.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.log({1}); assert(y[1] == 0)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
