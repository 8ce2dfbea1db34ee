// SPDX-License-Identifier: MIT
/* Another name that Keras knows. */
#include "autograd/each.h"

extern const Op op_hard_silu;

static void forward(OpCall *call)
{
    op_hard_silu.forward(call);
}

static void backward(OpCall *call)
{
    op_hard_silu.backward(call);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1 },
};

const Op op_hard_swish = {
    .name = "hard_swish",
    .doc = "hard_swish(x) -> y: x * hard_sigmoid(x); the same as hard_silu.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.hard_swish({-4, 3}); assert(y[1] == 0 and y[2] == 3)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
