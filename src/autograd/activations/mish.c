// SPDX-License-Identifier: MIT
#include "autograd/each.h"
#include "tensor/kern_fun.h"

/* tanh(log(1 + e^x)) = n / (n + 2) with n = e^x (e^x + 2). From 20 on it is 1, where e^2x would overflow. */
KERN_INLINE real gate(real x)
{
    real e = fun_exp(x < 20 ? x : 20), n = e * (e + 2);
    return n / (n + 2);
}

KERN_INLINE real slope(real x)
{
    real t = gate(x);
    return t + x * (1 - t * t) * fun_sigmoid(x);
}

EACH_OP(x * gate(x),
        slope(x), 24)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -4, .high = 4 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -4, .high = 4 },
};

const Op op_mish = {
    .name = "mish",
    .doc = "mish(x) -> y: x * tanh(softplus(x)).\n"
           "Shapes: x any -> y the same.  Source: Misra 2019.",
    .example = "local y = op.mish({0, 1}); assert(y[1] == 0 and math.abs(y[2] - 0.8650984) < 1e-5)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
