// SPDX-License-Identifier: MIT
#include "autograd/rownorm.h"

static void forward(OpCall *call)
{
    rownorm_forward(call, true);
}

static void backward(OpCall *call)
{
    rownorm_backward(call, true);
}

static const char *const in_names[] = { "x", "gamma", "beta" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 5 } }, { 1, { 5 } }, { 1, { 5 } } }, .n_in = 3 },
    { .in = { { 2, { 2, 37 } }, { 1, { 37 } }, { 1, { 37 } } }, .n_in = 3, .args = "epsilon=0.1" },
    { .in = { { 3, { 3, 2, 4 } }, { 2, { 2, 4 } }, { 2, { 2, 4 } } }, .n_in = 3, .args = "axes=2" },
    { .in = { { 3, { 2, 2, 4 } } }, .n_in = 1 },
};

const Op op_layer_norm = {
    .name = "layer_norm",
    .doc = "layer_norm(x, gamma = nil, beta = nil, {epsilon = 0.001, axes = 1}) -> y\n"
           "y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, with mean and biased variance of each row: the last `axes` axes.\n"
           "Shapes: x [.., row], gamma and beta [row] -> y like x.  Source: Ba et al. 2016, eq. 4.",
    .example = "local y = op.layer_norm({{1, 3}}, {1, 2}, {0, 5}, {epsilon = 0}); assert(y[1][1] == -1 and y[1][2] == 7)",
    .in_least = 1,
    .in_most = 3,
    .in_names = in_names,
    .args = rownorm_layer_args,
    .n_args = ROWNORM_ARGS,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = rownorm_infer,
    .forward = forward,
    .backward = backward,
};
