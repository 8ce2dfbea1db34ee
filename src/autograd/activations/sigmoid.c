// SPDX-License-Identifier: MIT
#include "autograd/each.h"

KERN_CLONES static void backward_run(const EachBack *run)
{
    EACH_BACK(run, DY * Y * (1 - Y));
}

static void forward(OpCall *call)
{
    each_forward(call, kern_sigmoid, 8);
}

static void backward(OpCall *call)
{
    each_backward(call, backward_run, 1);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .in = { { 1, { 37 } } }, .n_in = 1 },
};

const Op op_sigmoid = {
    .name = "sigmoid",
    .doc = "sigmoid(x) -> y: 1 / (1 + exp(-x)), between 0 and 1.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.sigmoid({0}); assert(y[1] == 0.5)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
