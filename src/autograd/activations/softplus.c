// SPDX-License-Identifier: MIT
#include "autograd/each.h"
#include "tensor/kern_fun.h"

/* The exponential of -|x| only: it cannot overflow. */
KERN_INLINE real soften(real x)
{
    return (x > 0 ? x : 0) + fun_log(1 + fun_exp(x > 0 ? -x : x));
}

EACH_OP(soften(x),
        fun_sigmoid(x), 16)

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -4, .high = 4 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -4, .high = 4 },
};

const Op op_softplus = {
    .name = "softplus",
    .doc = "softplus(x) -> y: log(1 + exp(x)), a smooth relu that stays positive.\n"
           "Shapes: x any -> y the same.  Source: Glorot et al. 2011.",
    .example = "local y = op.softplus({0}); assert(math.abs(y[1] - math.log(2)) < 1e-6)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
