// SPDX-License-Identifier: MIT
#include "autograd/each.h"

EACH_OP(x <= -1 ? 0 : x >= 1 ? x : (x + 1) * (x + 1) / 4,
        x <= -1 ? 0 : x >= 1 ? (real)1 : (x + 1) / 2, 4)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -2, .high = 2 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -2, .high = 2 },
};

const Op op_sparse_plus = {
    .name = "sparse_plus",
    .doc = "sparse_plus(x) -> y: 0 up to -1, x from 1 on, between them (x + 1)^2 / 4.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.sparse_plus({-2, 0, 3}); assert(y[1] == 0 and y[2] == 0.25 and y[3] == 3)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
