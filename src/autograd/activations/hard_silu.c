// SPDX-License-Identifier: MIT
#include "autograd/each.h"

EACH_OP(x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6,
        x <= -3 ? 0 : x >= 3 ? (real)1 : (2 * x + 3) / 6, 4)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -4, .high = 4 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -4, .high = 4 },
};

const Op op_hard_silu = {
    .name = "hard_silu",
    .doc = "hard_silu(x) -> y: x * hard_sigmoid(x); also called hard_swish.\n"
           "Shapes: x any -> y the same.  Source: Howard et al. 2019.",
    .example = "local y = op.hard_silu({-4, 3, 1}); assert(y[1] == 0 and y[2] == 3 and math.abs(y[3] - 2/3) < 1e-6)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
