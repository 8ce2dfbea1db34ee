// SPDX-License-Identifier: MIT
#include "autograd/rownorm.h"

static void forward(OpCall *call)
{
    rownorm_forward(call, false);
}

static void backward(OpCall *call)
{
    rownorm_backward(call, false);
}

static const char *const in_names[] = { "x", "scale" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 5 } }, { 1, { 5 } } }, .n_in = 2 },
    { .in = { { 3, { 3, 2, 4 } }, { 2, { 2, 4 } } }, .n_in = 2, .args = "axes=2 epsilon=0.1" },
    { .in = { { 3, { 2, 2, 20 } } }, .n_in = 1 },
};

const Op op_rms_norm = {
    .name = "rms_norm",
    .doc = "rms_norm(x, scale = nil, {epsilon = 1e-06, axes = 1}) -> y\n"
           "y = x / sqrt(mean of x^2 + epsilon) * scale, with the mean over each row: the last `axes` axes.\n"
           "Shapes: x [.., row], scale [row] -> y like x.  Source: Zhang and Sennrich 2019, eq. 4.",
    .example = "local y = op.rms_norm({{1, 7}}, {5, 10}, {epsilon = 0}); assert(math.abs(y[1][1] - 1) < 1e-6 and math.abs(y[1][2] - 14) < 1e-5)",
    .in_least = 1,
    .in_most = 2,
    .in_names = in_names,
    .args = rownorm_rms_args,
    .n_args = ROWNORM_ARGS,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = rownorm_infer,
    .forward = forward,
    .backward = backward,
};
