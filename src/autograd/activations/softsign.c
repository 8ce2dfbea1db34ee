// SPDX-License-Identifier: MIT
#include "autograd/each.h"

EACH_OP(x / (1 + (x < 0 ? -x : x)),
        1 / ((1 + (x < 0 ? -x : x)) * (1 + (x < 0 ? -x : x))), 4)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -3, .high = 3 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -3, .high = 3 },
};

const Op op_softsign = {
    .name = "softsign",
    .doc = "softsign(x) -> y: x / (1 + |x|), between -1 and 1.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.softsign({-1, 3}); assert(y[1] == -0.5 and y[2] == 0.75)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
