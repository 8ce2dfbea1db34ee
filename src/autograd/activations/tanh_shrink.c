// SPDX-License-Identifier: MIT
#include "autograd/each.h"
#include "tensor/kern_fun.h"

EACH_OP(x - fun_tanh(x),
        fun_tanh(x) * fun_tanh(x), 10)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -2, .high = 2 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -2, .high = 2 },
};

const Op op_tanh_shrink = {
    .name = "tanh_shrink",
    .doc = "tanh_shrink(x) -> y: x - tanh(x).\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.tanh_shrink({0, 1}); assert(y[1] == 0 and math.abs(y[2] - 0.2384058) < 1e-6)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
