// SPDX-License-Identifier: MIT
#include "autograd/each.h"

EACH_OP(x <= -1 ? 0 : x >= 1 ? 1 : (x + 1) / 2,
        x > -1 && x < 1 ? (real)0.5 : 0, 3)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -2, .high = 2 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -2, .high = 2 },
};

const Op op_sparse_sigmoid = {
    .name = "sparse_sigmoid",
    .doc = "sparse_sigmoid(x) -> y: (x + 1) / 2, cut at 0 and 1.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.sparse_sigmoid({-2, 0, 3}); assert(y[1] == 0 and y[2] == 0.5 and y[3] == 1)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
