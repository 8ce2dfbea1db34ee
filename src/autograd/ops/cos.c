// SPDX-License-Identifier: MIT
#include <tgmath.h>

#include "autograd/each.h"

EACH_OP(cos(x), -sin(x), 20)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .in = { { 1, { 37 } } }, .n_in = 1 },
};

const Op op_cos = {
    .name = "cos",
    .doc = "cos(x) -> y: the cosine of x in radians; NaN for infinite x.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.cos({0, math.pi}); assert(y[1] == 1 and y[2] == -1)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
