// SPDX-License-Identifier: MIT
#include "autograd/each.h"

static bool infer(OpCall *call, Err *err)
{
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    if (!pair_infer(call, err))
        return false;
    if (!shape_same(&call->out.shape, &call->in[0].shape))
        return op_refuse(call, err, "alpha of shape %s is larger than x of shape %s", shape_text(&call->in[1].shape, a),
                         shape_text(&call->in[0].shape, b));
    return true;
}

KERN_CLONES static void forward_run(const Run *run)
{
    RUN_LOOP(run, = A > 0 ? A : A * B);
}

KERN_CLONES static void grad_x(const Run *run)
{
    const real *const g = run->g;
    if (run->add)
        RUN_LOOP(run, += g[i] * (A > 0 ? (real)1 : A < 0 ? B : 0));
    else
        RUN_LOOP(run, = g[i] * (A > 0 ? (real)1 : A < 0 ? B : 0));
}

KERN_CLONES static void grad_alpha(const Run *run)
{
    const real *const g = run->g;
    if (run->add)
        RUN_LOOP(run, += g[i] * (A < 0 ? A : 0));
    else
        RUN_LOOP(run, = g[i] * (A < 0 ? A : 0));
}

static void forward(OpCall *call)
{
    pair_forward(call, forward_run);
}

static void backward(OpCall *call)
{
    pair_backward(call, 0, grad_x);
    pair_backward(call, 1, grad_alpha);
}

static const char *const in_names[] = { "x", "alpha" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } }, { 2, { 3, 4 } } }, .n_in = 2 },
    { .in = { { 3, { 2, 3, 4 } }, { 1, { 4 } } }, .n_in = 2 },
    { .in = { { 4, { 2, 2, 4, 2 } }, { 3, { 1, 4, 1 } } }, .n_in = 2 },
};

const Op op_prelu = {
    .name = "prelu",
    .doc = "prelu(x, alpha) -> y: x where it is positive, else alpha * x; the slope at 0 is 0.\n"
           "Shapes: x any, alpha broadcast to it -> y like x.  Source: He et al. 2015.",
    .example = "local y = op.prelu({-2, 2}, {0.5}); assert(y[1] == -1 and y[2] == 2)",
    .in_least = 2,
    .in_most = 2,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
