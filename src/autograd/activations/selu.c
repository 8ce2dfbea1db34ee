// SPDX-License-Identifier: MIT
#include "autograd/each.h"
#include "tensor/kern_fun.h"

#define ALPHA ((real)1.6732632423543772848)
#define SCALE ((real)1.0507009873554804934)

EACH_OP(x > 0 ? SCALE * x : SCALE * ALPHA * (fun_exp(x) - 1),
        x > 0 ? SCALE : y + SCALE * ALPHA, 8)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -3, .high = 3 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -3, .high = 3 },
};

const Op op_selu = {
    .name = "selu",
    .doc = "selu(x) -> y: scale * x where it is positive, else scale * alpha * (exp(x) - 1), with alpha 1.6732632 and scale 1.0507010:\n"
           "layer after layer keeps mean 0 and variance 1 (with lecun_normal weights).\n"
           "Shapes: x any -> y the same.  Source: Klambauer et al. 2017.",
    .example = "local y = op.selu({0, 2}); assert(y[1] == 0 and math.abs(y[2] - 2.101402) < 1e-5)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
