// SPDX-License-Identifier: MIT
#include "autograd/each.h"
#include "tensor/kern_fun.h"

EACH_OP(x * fun_sigmoid(x),
        fun_sigmoid(x) * (1 + x - y), 9)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -4, .high = 4 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -4, .high = 4 },
};

const Op op_silu = {
    .name = "silu",
    .doc = "silu(x) -> y: x * sigmoid(x); also called swish.\n"
           "Shapes: x any -> y the same.  Source: Elfwing et al. 2018; Ramachandran et al. 2017.",
    .example = "local y = op.silu({0, 2}); assert(y[1] == 0 and math.abs(y[2] - 2 / (1 + math.exp(-2))) < 1e-6)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
