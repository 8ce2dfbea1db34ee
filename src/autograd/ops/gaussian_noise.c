// SPDX-License-Identifier: MIT
#include "autograd/noise.h"

static bool infer(OpCall *call, Err *err)
{
    (void)err;
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = call->in[0].shape;
    call->alias = !call->training || call->args->v[0].u.f == 0;
    return true;
}

static void forward(OpCall *call)
{
    noise_apply(call, call->args->v[0].u.f, false, NULL);
}

static void backward(OpCall *call)
{
    if (call->din[0])
        op_give(call->din[0], call->dout, shape_count(&call->out.shape), call->add[0]);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "stddev", .type = ARG_FLOAT, .least = 0, .most = 1e30, .help = "standard deviation of the noise" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 5, 7 } } }, .n_in = 1, .args = "stddev=0.5", .training = true },
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "stddev=0.5" },
};

const Op op_gaussian_noise = {
    .name = "gaussian_noise",
    .doc = "gaussian_noise(x, stddev) -> y: while training, x plus normal noise of this standard deviation; else x.\n"
           "Shapes: any -> same.",
    .example = "local y = op.gaussian_noise({1, 2, 3}, 0.5); assert(y[2] == 2)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = args,
    .n_args = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .passes_grad = 1,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
