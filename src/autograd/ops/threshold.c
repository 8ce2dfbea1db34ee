// SPDX-License-Identifier: MIT
/* No activation by name: its numbers have no defaults. */
#include "autograd/each.h"

EACH_OP(x <= p[0] ? p[1] : x, x > p[0] ? (real)1 : 0, 2)

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "threshold", .type = ARG_FLOAT, .least = -1e30, .most = 1e30, .help = "values above it stay" },
    { .name = "default_value", .type = ARG_FLOAT, .least = -1e30, .most = 1e30, .help = "in place of the others" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .args = "threshold=0.5 default_value=-3" },
};

const Op op_threshold = {
    .name = "threshold",
    .doc = "threshold(x, threshold, default_value) -> y: x where it is above the threshold, else default_value.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.threshold({1, 5}, 2, 20); assert(y[1] == 20 and y[2] == 5)",
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
