// SPDX-License-Identifier: MIT
#include "autograd/op.h"
#include "tensor/broadcast.h"
#include "tensor/reduce.h"

static const ArgSpec args[] = {
    { .name = "shape", .type = ARG_INTS, .least = 0, .most = 281474976710656.0, .help = "the shape to fill; axes of size 1, or missing in front, are repeated" },
};

static bool infer(OpCall *call, Err *err)
{
    const Shape *in = &call->in[0].shape;
    const ArgValue *value = &call->args->v[0];
    Shape want = { .rank = value->u.ints.n }, both;
    char from[SHAPE_TEXT], to[SHAPE_TEXT];
    for (int i = 0; i < want.rank; i++)
        want.d[i] = value->u.ints.v[i];
    if (!shape_broadcast(in, &want, &both, "broadcast_to", NULL) || !shape_same(&both, &want))
        return op_refuse(call, err, "%s does not fill %s: from the right, each axis must have that size or 1", shape_text(in, from),
                         shape_text(&want, to));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = want;
    call->alias = shape_same(in, &want);
    Reduce plan;
    reduce_plan(&plan, &want, reduce_axes_between(&want, in));
    call->scratch_size = reduce_scratch(&plan);
    return true;
}

static void forward(OpCall *call)
{
    broadcast_copy(tensor_real(&call->out), &call->out.shape, tensor_real(&call->in[0]), &call->in[0].shape, 1, false);
}

static void backward(OpCall *call)
{
    if (!call->din[0])
        return;
    Reduce plan;
    reduce_plan(&plan, &call->out.shape, reduce_axes_between(&call->out.shape, &call->in[0].shape));
    reduce_sum(call->din[0], call->dout, &plan, 1, call->add[0], call->scratch);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 1 } } }, .n_in = 1, .args = "shape=2,3,4" },
    { .in = { { 3, { 2, 1, 3 } } }, .n_in = 1, .args = "shape=2,4,3" },
    { .in = { { 1, { 3 } } }, .n_in = 1, .args = "shape=3" },
};

const Op op_broadcast_to = {
    .name = "broadcast_to",
    .doc = "broadcast_to(x, shape) -> y: x repeated along axes of size 1, and along new ones in front.\n"
           "Shapes: any that broadcasts to shape -> shape.",
    .example = "local y = op.broadcast_to({1, 2}, {3, 2}); assert(y[3][2] == 2)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
