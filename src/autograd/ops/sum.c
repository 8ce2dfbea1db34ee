// SPDX-License-Identifier: MIT
#include "autograd/each.h"

static void forward(OpCall *call)
{
    Shape kept;
    Reduce plan;
    reduce_plan(&plan, &call->in[0].shape, reduce_axes(call, &kept));
    reduce_sum(tensor_real(&call->out), tensor_real(&call->in[0]), &plan, 1, false, call->scratch);
}

static void backward(OpCall *call)
{
    Shape kept;
    reduce_axes(call, &kept);
    if (call->din[0])
        broadcast_copy(call->din[0], &call->in[0].shape, call->dout, &kept, 1, call->add[0]);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "axis=1" },
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "axis=0 keepdims=true" },
    { .in = { { 4, { 2, 3, 2, 2 } } }, .n_in = 1, .args = "axis=0,2" },
    { .in = { { 4, { 2, 3, 2, 2 } } }, .n_in = 1, .args = "axis=-1,1 keepdims=true" },
};

const Op op_sum = {
    .name = "sum",
    .doc = "sum(x, axis = nil, keepdims = false) -> y: the sum over one axis, several, or all.\n"
           "Shapes: x any -> y without the summed axes (with size 1 there when keepdims is true).",
    .example = "local y = op.sum({{1, 2}, {3, 4}}, {axis = 0}); assert(y[1] == 4 and y[2] == 6)",
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
