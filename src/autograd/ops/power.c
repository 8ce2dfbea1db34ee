// SPDX-License-Identifier: MIT
/* The exponent is a tensor or the argument; the argument is seen as a tensor of one element, so that one set of loops serves.
 * An exponent of one element that is 2, 1, 0.5, -1 is done without pow. */
#include <tgmath.h>

#include "autograd/each.h"

static const Shape single = { .rank = 0 };

static bool infer(OpCall *call, Err *err)
{
    bool given = call->args->v[0].given;
    if (given && call->has[1])
        return op_refuse(call, err, "give the exponent once, as a tensor or as a number");
    if (!given && !call->has[1])
        return op_refuse(call, err, "the exponent is missing; for squares write op.power(x, 2)");
    return call->has[1] ? pair_infer(call, err) : each_infer(call, err);
}

KERN_CLONES static void square_run(const Run *run)
{
    RUN_LOOP(run, = A * A);
}

KERN_CLONES static void reciprocal_run(const Run *run)
{
    RUN_LOOP(run, = 1 / A);
}

KERN_CLONES static void root_run(const Run *run)
{
    RUN_LOOP(run, = sqrt(A));
}

static void power_run(const Run *run)
{
    const real e = *run->b;
    if (!run->b_moves && e == 2)
        square_run(run);
    else if (!run->b_moves && e == -1)
        reciprocal_run(run);
    else if (!run->b_moves && e == (real)0.5)
        root_run(run);
    else
        RUN_LOOP(run, = pow(A, B));
}

KERN_CLONES static void grad_square(const Run *run)
{
    const real *const g = run->g;
    if (run->add)
        RUN_LOOP(run, += 2 * g[i] * A);
    else
        RUN_LOOP(run, = 2 * g[i] * A);
}

/* d(a^b)/da = b a^(b-1); an exponent of 0 has slope 0 also at a = 0. */
static void grad_base(const Run *run)
{
    const real *const g = run->g;
    if (!run->b_moves && *run->b == 2)
        grad_square(run);
    else if (run->add)
        RUN_LOOP(run, += B == 0 ? 0 : g[i] * B * pow(A, B - 1));
    else
        RUN_LOOP(run, = B == 0 ? 0 : g[i] * B * pow(A, B - 1));
}

/* d(a^b)/db = a^b log(a), which tends to 0 as a goes to 0 where b > 0. */
static void grad_exponent(const Run *run)
{
    const real *const g = run->g;
    if (run->add)
        RUN_LOOP(run, += A == 0 && B > 0 ? 0 : g[i] * pow(A, B) * log(A));
    else
        RUN_LOOP(run, = A == 0 && B > 0 ? 0 : g[i] * pow(A, B) * log(A));
}

static void forward(OpCall *call)
{
    real exponent = (real)call->args->v[0].u.f;
    Run whole = { .y = tensor_real(&call->out), .a = tensor_real(&call->in[0]), .b = &exponent };
    if (call->has[1])
        pair_forward(call, power_run);
    else
        broadcast_run(power_run, &whole, &call->out.shape, &call->in[0].shape, &single);
}

static void backward(OpCall *call)
{
    if (call->has[1]) {
        pair_backward(call, 0, grad_base);
        pair_backward(call, 1, grad_exponent);
    } else if (call->din[0]) {
        real exponent = (real)call->args->v[0].u.f;
        Run whole = { .y = call->din[0], .g = call->dout, .a = tensor_real(&call->in[0]), .b = &exponent, .add = call->add[0] };
        broadcast_run(grad_base, &whole, &call->out.shape, &call->in[0].shape, &single);
    }
}

static const char *const in_names[] = { "x", "exponent" };
static const ArgSpec args[] = {
    { .name = "exponent", .type = ARG_FLOAT, .fallback = "nil", .help = "the exponent as a number, where it is no tensor" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "exponent=2" },
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "exponent=3" },
    { .in = { { 1, { 7 } } }, .n_in = 1, .args = "exponent=-0.5", .low = 0.5, .high = 2 },
    { .in = { { 1, { 7 } } }, .n_in = 1, .args = "exponent=0.5", .low = 0.5, .high = 2 },
    { .in = { { 1, { 7 } } }, .n_in = 1, .args = "exponent=-1", .low = 0.5, .high = 2 },
    { .in = { { 2, { 3, 4 } }, { 1, { 4 } } }, .n_in = 2, .low = 0.5, .high = 2 },
    { .in = { { 2, { 3, 1 } }, { 2, { 3, 4 } } }, .n_in = 2, .low = 0.5, .high = 2 },
};

const Op op_power = {
    .name = "power",
    .doc = "power(x, exponent) -> y: x to the power of exponent, a number or a tensor; NaN for a negative x with a broken exponent.\n"
           "Shapes: broadcast by NumPy's rule.",
    .example = "local y = op.power({2, 3}, 2); assert(y[1] == 4 and y[2] == 9)",
    .in_least = 1,
    .in_most = 2,
    .in_names = in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
