// SPDX-License-Identifier: MIT
/* The plain relu, which nearly everybody means, has loops of its own. */
#include "autograd/each.h"

enum { SLOPE, MOST, THRESHOLD };

KERN_CLONES static void plain_run(real *y, const real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i]; /* NaN stays: a diverged network must show */
}

KERN_CLONES static void plain_back(const EachBack *run)
{
    EACH_BACK(run, Y > 0 ? DY : 0);
}

KERN_CLONES static void general_run(real *y, const real *x, int64_t n, const real *p)
{
    for (int64_t i = 0; i < n; i++) {
        real low = p[SLOPE] * (x[i] - p[THRESHOLD]), high = x[i] > p[MOST] ? p[MOST] : x[i];
        y[i] = x[i] <= p[THRESHOLD] ? low : high;
    }
}

KERN_CLONES static void general_back(const EachBack *run)
{
    const real *const p = run->p;
    EACH_BACK(run, DY * (X <= p[THRESHOLD] ? p[SLOPE] : X < p[MOST] ? (real)1 : 0));
}

static bool is_plain(const OpCall *call)
{
    const ArgValue *v = call->args->v;
    return v[SLOPE].u.f == 0 && !v[MOST].given && v[THRESHOLD].u.f == 0;
}

static void forward(OpCall *call)
{
    if (is_plain(call))
        each_forward(call, plain_run, 1);
    else
        each_forward_with(call, general_run, 3);
}

static void backward(OpCall *call)
{
    if (is_plain(call))
        each_backward(call, plain_back, 1);
    else
        each_backward_with(call, general_back, 3);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "negative_slope", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1e30, .help = "slope below the threshold" },
    { .name = "max_value", .type = ARG_FLOAT, .fallback = "nil", .least = 0, .most = 1e30, .help = "the largest result; nil: none" },
    { .name = "threshold", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1e30, .help = "values above it stay" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .low = 0.1, .high = 1 },
    { .in = { { 1, { 37 } } }, .n_in = 1, .low = -1, .high = -0.1 },
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .args = "negative_slope=0.5 max_value=1 threshold=0.25", .low = -2.2, .high = 2 },
    { .in = { { 2, { 4, 4 } } }, .n_in = 1, .args = "max_value=1", .low = -2, .high = 2 },
};

const Op op_relu = {
    .name = "relu",
    .doc = "relu(x, {negative_slope = 0, max_value = nil, threshold = 0}) -> y: x where it is positive, else 0. The slope at 0 is 0.\n"
           "With arguments: min(x, max_value) above the threshold, negative_slope * (x - threshold) elsewhere.\n"
           "Shapes: x any -> y the same.  Source: Nair and Hinton 2010.",
    .example = "local y = op.relu({-1, 2}); assert(y[1] == 0 and y[2] == 2)",
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
