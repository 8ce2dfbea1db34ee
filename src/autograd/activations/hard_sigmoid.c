// SPDX-License-Identifier: MIT
#include "autograd/each.h"

EACH_OP(x <= -3 ? 0 : x >= 3 ? 1 : (x + 3) / 6,
        x > -3 && x < 3 ? (real)1 / 6 : 0, 3)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -4, .high = 4 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -4, .high = 4 },
};

const Op op_hard_sigmoid = {
    .name = "hard_sigmoid",
    .doc = "hard_sigmoid(x) -> y: (x + 3) / 6, cut at 0 and 1: a sigmoid of straight lines.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.hard_sigmoid({-4, 0, 4}); assert(y[1] == 0 and y[2] == 0.5 and y[3] == 1)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
