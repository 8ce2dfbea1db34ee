// SPDX-License-Identifier: MIT
#include "autograd/each.h"

EACH_OP(x > 0 ? x : p[0] * x,
        x > 0 ? (real)1 : p[0], 2)

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "negative_slope", .type = ARG_FLOAT, .fallback = "0.2", .least = -1e30, .most = 1e30, .help = "slope where x is negative" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -1, .high = 1 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -1, .high = 1 },
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .args = "negative_slope=0.7", .low = -1, .high = 1 },
};

const Op op_leaky_relu = {
    .name = "leaky_relu",
    .doc = "leaky_relu(x, negative_slope = 0.2) -> y: x where it is positive, else negative_slope * x.\n"
           "Shapes: x any -> y the same.  Source: Maas et al. 2013.",
    .example = "local y = op.leaky_relu({-1, 2}, 0.5); assert(y[1] == -0.5 and y[2] == 2)",
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
