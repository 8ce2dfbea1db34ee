// SPDX-License-Identifier: MIT
/* x [B, H, W, C] -> y [B, OH, OW, C]. The loops stand in tensor/kern_pool.c. */
#include "autograd/pooling.h"

static void forward(OpCall *call)
{
    Pooling pool = pooling_of(call);
    kern_pool_mean(&pool, tensor_real(&call->out), tensor_real(&call->in[0]));
}

static void backward(OpCall *call)
{
    Pooling pool = pooling_of(call);
    if (call->din[0])
        kern_pool_mean_back(&pool, call->din[0], call->add[0], call->dout);
}

const Op op_average_pool2d = {
    .name = "average_pool2d",
    .doc = "average_pool2d(x, {pool_size = {2, 2}, strides = nil, padding = \"valid\"}) -> y: the mean of each window,\n"
           "channel by channel; pixels outside the image do not count.\n"
           "Shapes: x [B, H, W, C] -> y [B, OH, OW, C].",
    .example = "local y = op.average_pool2d({{{{1}, {2}}, {{3}, {6}}}}); assert(y[1][1][1][1] == 3)",
    .in_least = 1,
    .in_most = 1,
    .in_names = pooling_in_names,
    .args = pooling_args,
    .n_args = POOLING_ARGS,
    .cases = pooling_cases,
    .n_cases = POOLING_CASES,
    .infer = pooling_infer,
    .forward = forward,
    .backward = backward,
    .flops = pooling_flops,
};
