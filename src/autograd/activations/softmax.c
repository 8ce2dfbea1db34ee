// SPDX-License-Identifier: MIT
#include "autograd/lastaxis.h"
#include "tensor/kern_softmax.h"

static bool infer(OpCall *call, Err *err)
{
    return lastaxis_infer(call, err);
}

static void forward(OpCall *call)
{
    LastAxis view;
    const real *x = lastaxis_open(&view, call, tensor_real(&call->in[0]), 0);
    real *y = lastaxis_out(&view, tensor_real(&call->out), 1);
    kern_softmax(y, NULL, x, view.N, view.C);
    lastaxis_close(&view, tensor_real(&call->out), y, false);
}

static void backward(OpCall *call)
{
    if (!call->din[0])
        return;
    LastAxis view;
    const real *y = lastaxis_open(&view, call, tensor_real(&call->out), 0);
    const real *dy = lastaxis_in(&view, call->dout, 1);
    real *dx = lastaxis_out(&view, call->din[0], 2);
    bool direct = dx == call->din[0];
    kern_softmax_back(dx, y, dy, view.N, view.C, direct && call->add[0]);
    lastaxis_close(&view, call->din[0], dx, call->add[0]);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 5, 7 } } }, .n_in = 1, .low = -2, .high = 2 },
    { .in = { { 2, { 3, 37 } } }, .n_in = 1, .low = -2, .high = 2 },
    { .in = { { 3, { 2, 5, 3 } } }, .n_in = 1, .args = "axis=1", .low = -2, .high = 2 },
    { .in = { { 3, { 4, 2, 3 } } }, .n_in = 1, .args = "axis=0" },
};

const Op op_softmax = {
    .name = "softmax",
    .doc = "softmax(x, axis = -1) -> y: exp(x - max) over its sum along the axis.\n"
           "Shapes: any -> same.",
    .example = "local y = op.softmax({{0, 0}}); assert(y[1][1] == 0.5)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = lastaxis_args,
    .n_args = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
