// SPDX-License-Identifier: MIT
/* saved [shape of x]: what each element was multiplied by. */
#include <math.h>

#include "autograd/each.h"
#include "autograd/noise.h"

static bool infer(OpCall *call, Err *err)
{
    (void)err;
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = call->in[0].shape;
    call->alias = !call->training || call->args->v[0].u.f == 0;
    if (!call->alias)
        call->saved_size = (size_t)shape_count(&call->out.shape) * sizeof(real);
    return true;
}

static void forward(OpCall *call)
{
    double rate = call->args->v[0].u.f;
    noise_apply(call, sqrt(rate / (1 - rate)), true, call->saved);
}

KERN_CLONES static void grad(const Run *run)
{
    if (run->add)
        RUN_LOOP(run, += A * B);
    else
        RUN_LOOP(run, = A * B);
}

static void backward(OpCall *call)
{
    const Shape *shape = &call->out.shape;
    if (!call->din[0])
        return;
    if (call->alias)
        op_give(call->din[0], call->dout, shape_count(shape), call->add[0]);
    else
        broadcast_run(grad, &(Run){ .y = call->din[0], .a = call->dout, .b = call->saved, .add = call->add[0] }, shape, shape, shape);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "rate", .type = ARG_FLOAT, .least = 0, .most = 1, .open_most = true,
      .help = "noise as strong as dropout of this rate makes: standard deviation sqrt(rate / (1 - rate))" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 5, 7 } } }, .n_in = 1, .args = "rate=0.5", .training = true },
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "rate=0.5" },
};

const Op op_gaussian_dropout = {
    .name = "gaussian_dropout",
    .doc = "gaussian_dropout(x, rate) -> y: while training, x times normal noise of mean 1 and variance rate / (1 - rate); else x.\n"
           "Shapes: any -> same.  Source: Srivastava et al. 2014, section 10.",
    .example = "local y = op.gaussian_dropout({1, 2, 3}, 0.5); assert(y[2] == 2)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = args,
    .n_args = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
