// SPDX-License-Identifier: MIT
#include "autograd/each.h"

EACH_OP(x > p[0] ? x - p[0] : x < -p[0] ? x + p[0] : 0,
        x > p[0] || x < -p[0] ? (real)1 : 0, 3)

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "threshold", .type = ARG_FLOAT, .fallback = "0.5", .least = 0, .most = 1e30, .help = "how far values move" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -2, .high = 2 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -2, .high = 2 },
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .args = "threshold=0", .low = -2, .high = 2 },
};

const Op op_soft_shrink = {
    .name = "soft_shrink",
    .doc = "soft_shrink(x, threshold = 0.5) -> y: x moved towards 0 by the threshold, and no further than 0.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.soft_shrink({-1, 0.25}); assert(y[1] == -0.5 and y[2] == 0)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
