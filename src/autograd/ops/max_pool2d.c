// SPDX-License-Identifier: MIT
/* x [B, H, W, C] -> y [B, OH, OW, C]; saves which pixel of each window was the largest, [B, OH, OW, C] int32. The loops stand in
 * tensor/kern_pool.c. */
#include "autograd/pooling.h"

static bool infer(OpCall *call, Err *err)
{
    if (!pooling_infer(call, err))
        return false;
    call->saved_size = call->wants_grad ? (size_t)shape_count(&call->out.shape) * sizeof(int32_t) : 0;
    return true;
}

static void forward(OpCall *call)
{
    Pooling pool = pooling_of(call);
    kern_pool_max(&pool, tensor_real(&call->out), call->wants_grad ? call->saved : NULL, tensor_real(&call->in[0]));
}

static void backward(OpCall *call)
{
    Pooling pool = pooling_of(call);
    if (call->din[0])
        kern_pool_max_back(&pool, call->din[0], call->add[0], call->dout, call->saved);
}

const Op op_max_pool2d = {
    .name = "max_pool2d",
    .doc = "max_pool2d(x, {pool_size = {2, 2}, strides = nil, padding = \"valid\"}) -> y: the largest value of each window,\n"
           "channel by channel. The gradient goes to the first of equal values.\n"
           "Shapes: x [B, H, W, C] -> y [B, OH, OW, C].",
    .example = "local y = op.max_pool2d({{{{1}, {2}}, {{4}, {3}}}}); assert(y[1][1][1][1] == 4)",
    .in_least = 1,
    .in_most = 1,
    .in_names = pooling_in_names,
    .args = pooling_args,
    .n_args = POOLING_ARGS,
    .cases = pooling_cases,
    .n_cases = POOLING_CASES,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .flops = pooling_flops,
};
