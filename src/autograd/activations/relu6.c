// SPDX-License-Identifier: MIT
#include "autograd/each.h"

EACH_OP(x < 0 ? 0 : x > 6 ? 6 : x,
        x > 0 && x < 6 ? (real)1 : 0, 2)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -8, .high = 8 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -8, .high = 8 },
};

const Op op_relu6 = {
    .name = "relu6",
    .doc = "relu6(x) -> y: x between 0 and 6, else the nearer of them.\n"
           "Shapes: x any -> y the same.  Source: Krizhevsky 2010.",
    .example = "local y = op.relu6({-1, 2, 9}); assert(y[1] == 0 and y[2] == 2 and y[3] == 6)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
