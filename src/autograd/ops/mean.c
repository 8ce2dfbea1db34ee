// SPDX-License-Identifier: MIT
#include <math.h>

#include "autograd/each.h"

/* One over the number of elements that each mean is of; NaN over none, as 0/0 is. */
static real share(const OpCall *call)
{
    int64_t n_in = shape_count(&call->in[0].shape), n_out = shape_count(&call->out.shape);
    return n_in ? (real)((double)n_out / (double)n_in) : (real)NAN;
}

static void forward(OpCall *call)
{
    Shape kept;
    Reduce plan;
    reduce_plan(&plan, &call->in[0].shape, reduce_axes(call, &kept));
    reduce_sum(tensor_real(&call->out), tensor_real(&call->in[0]), &plan, share(call), false, call->scratch);
}

static void backward(OpCall *call)
{
    Shape kept;
    reduce_axes(call, &kept);
    if (call->din[0])
        broadcast_copy(call->din[0], &call->in[0].shape, call->dout, &kept, share(call), call->add[0]);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "axis=-1" },
    { .in = { { 3, { 2, 3, 4 } } }, .n_in = 1, .args = "axis=0,2 keepdims=true" },
};

const Op op_mean = {
    .name = "mean",
    .doc = "mean(x, axis = nil, keepdims = false) -> y: the mean over one axis, several, or all.\n"
           "Shapes: x any -> y without those axes (with size 1 there when keepdims is true).",
    .example = "local y = op.mean({{1, 2}, {3, 4}}, {axis = 0}); assert(y[1] == 2 and y[2] == 3)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = each_reduce_args,
    .n_args = sizeof each_reduce_args / sizeof *each_reduce_args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = reduce_infer,
    .forward = forward,
    .backward = backward,
};
