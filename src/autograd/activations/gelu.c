// SPDX-License-Identifier: MIT
#include "autograd/each.h"
#include "tensor/kern_fun.h"

#define ROOT_HALF ((real)0.70710678118654752440)
#define ROOT_2_PI ((real)0.79788456080286535588) /* sqrt(2 / pi) */
#define CUBIC ((real)0.044715)

KERN_INLINE real bend(real x)
{
    return x * (1 + fun_erf(x * ROOT_HALF)) / 2;
}

/* The distribution function plus x times the density. */
KERN_INLINE real slope(real x)
{
    return (1 + fun_erf(x * ROOT_HALF)) / 2 + x * fun_exp(-x * x / 2) * ROOT_2_PI / 2;
}

KERN_INLINE real bend_tanh(real x)
{
    return x * (1 + fun_tanh(ROOT_2_PI * (x + CUBIC * x * x * x))) / 2;
}

KERN_INLINE real slope_tanh(real x)
{
    real t = fun_tanh(ROOT_2_PI * (x + CUBIC * x * x * x));
    return (1 + t) / 2 + x * (1 - t * t) * ROOT_2_PI * (1 + 3 * CUBIC * x * x) / 2;
}

/* Two pairs of loops: one with a choice inside would compute both. */
EACH_RUNS(exact, bend(x), slope(x))
EACH_RUNS(tanh, bend_tanh(x), slope_tanh(x))

static void forward(OpCall *call)
{
    each_forward_with(call, args_bool(call->args, "approximate") ? tanh_forward_run : exact_forward_run, 20);
}

static void backward(OpCall *call)
{
    each_backward_with(call, args_bool(call->args, "approximate") ? tanh_backward_run : exact_backward_run, 20);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "approximate", .type = ARG_BOOL, .fallback = "false", .help = "by tanh" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .low = -3, .high = 3 },
    { .in = { { 1, { 40 } } }, .n_in = 1, .low = -3, .high = 3 },
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .args = "approximate=true", .low = -3, .high = 3 },
};

const Op op_gelu = {
    .name = "gelu",
    .doc = "gelu(x, approximate = false) -> y: x times the normal distribution function: x (1 + erf(x / sqrt(2))) / 2.\n"
           "approximate: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, as GPT-2 has it.\n"
           "Shapes: x any -> y the same.  Source: Hendrycks and Gimpel 2016.",
    .example = "local y = op.gelu({0, 1}); assert(y[1] == 0 and math.abs(y[2] - 0.8413447) < 1e-5)",
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
