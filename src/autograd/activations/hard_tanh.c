// SPDX-License-Identifier: MIT
#include "autograd/each.h"

EACH_OP(x < -1 ? -1 : x > 1 ? 1 : x,
        x >= -1 && x <= 1 ? (real)1 : 0, 2)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -2, .high = 2 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -2, .high = 2 },
};

const Op op_hard_tanh = {
    .name = "hard_tanh",
    .doc = "hard_tanh(x) -> y: x between -1 and 1, else the nearer of them.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.hard_tanh({-4, 0.5}); assert(y[1] == -1 and y[2] == 0.5)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
