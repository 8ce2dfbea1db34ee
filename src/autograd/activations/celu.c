// SPDX-License-Identifier: MIT
#include "autograd/each.h"
#include "tensor/kern_fun.h"

EACH_OP(x > 0 ? x : p[0] * (fun_exp(x / p[0]) - 1),
        x > 0 ? (real)1 : y / p[0] + 1, 9)

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "alpha", .type = ARG_FLOAT, .fallback = "1", .least = 0, .most = 1e30, .open_least = true, .help = "what it falls to for small x, negated" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -3, .high = 3 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -3, .high = 3 },
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .args = "alpha=0.5", .low = -3, .high = 3 },
};

const Op op_celu = {
    .name = "celu",
    .doc = "celu(x, alpha = 1) -> y: x where it is positive, else alpha * (exp(x / alpha) - 1): smooth at 0 for every alpha.\n"
           "Shapes: x any -> y the same.  Source: Barron 2017.",
    .example = "local y = op.celu({-1, 2}); assert(y[2] == 2 and math.abs(y[1] - (math.exp(-1) - 1)) < 1e-6)",
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
