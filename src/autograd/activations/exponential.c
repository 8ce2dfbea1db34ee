// SPDX-License-Identifier: MIT
/* Another name that Keras knows. */
#include "autograd/each.h"

extern const Op op_exp;

static void forward(OpCall *call)
{
    op_exp.forward(call);
}

static void backward(OpCall *call)
{
    op_exp.backward(call);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1 },
};

const Op op_exponential = {
    .name = "exponential",
    .doc = "exponential(x) -> y: e to the power of x; the same as exp.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.exponential({0}); assert(y[1] == 1)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
