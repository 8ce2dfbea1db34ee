// SPDX-License-Identifier: MIT
#include <tgmath.h>

#include "autograd/each.h"

#define ROOT sqrt(x * x + p[0])

EACH_OP((x + ROOT) / 2,
        (1 + x / ROOT) / 2, 6)

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "b", .type = ARG_FLOAT, .fallback = "4", .least = 0, .most = 1e30, .help = "how soft the bend is; 0: relu" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -3, .high = 3 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -3, .high = 3 },
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .args = "b=0.5", .low = -3, .high = 3 },
};

const Op op_squareplus = {
    .name = "squareplus",
    .doc = "squareplus(x, b = 4) -> y: (x + sqrt(x^2 + b)) / 2, a smooth relu without exponentials.\n"
           "Shapes: x any -> y the same.  Source: Barron 2021.",
    .example = "local y = op.squareplus({0}); assert(y[1] == 1)",
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
