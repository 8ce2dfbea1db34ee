// SPDX-License-Identifier: MIT
#include "autograd/op.h"
#include "tensor/view.h"

/* Axis of x that becomes axis i of y; false when `axes` is no permutation. */
static bool axes_of(const OpCall *call, int order[SHAPE_MOST])
{
    const ArgValue *value = &call->args->v[0];
    int rank = call->in[0].shape.rank;
    unsigned seen = 0;
    for (int i = 0; i < rank; i++) {
        int64_t axis = !value->given ? rank - 1 - i : i < value->u.ints.n ? value->u.ints.v[i] : -rank - 1;
        axis += axis < 0 ? rank : 0;
        if (axis < 0 || axis >= rank || (seen >> axis & 1))
            return false;
        seen |= 1u << axis;
        order[i] = (int)axis;
    }
    return !value->given || value->u.ints.n == rank;
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *in = &call->in[0].shape;
    int order[SHAPE_MOST];
    char text[SHAPE_TEXT];
    if (!axes_of(call, order))
        return op_refuse(call, err, "axes must name each of the %d axes of shape %s once", in->rank, shape_text(in, text));
    call->out.dtype = call->in[0].dtype;
    call->out.shape.rank = in->rank;
    for (int i = 0; i < in->rank; i++)
        call->out.shape.d[i] = in->d[order[i]];
    return true;
}

static View view_of(const OpCall *call)
{
    int order[SHAPE_MOST] = { 0 };
    axes_of(call, order);
    View view = { .rank = call->out.shape.rank };
    for (int i = 0; i < view.rank; i++) {
        view.d[i] = call->out.shape.d[i];
        view.stride[i] = shape_count_from(&call->in[0].shape, order[i] + 1);
    }
    return view;
}

static void forward(OpCall *call)
{
    View view = view_of(call);
    view_read(call->out.data, call->in[0].data, &view, call->out.dtype);
}

static void backward(OpCall *call)
{
    View view = view_of(call);
    if (call->din[0])
        view_write(call->din[0], call->dout, &view, call->add[0]);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "axes", .type = ARG_INTS, .fallback = "nil", .help = "which axis of x becomes each axis of y; nil: in reverse order" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .in = { { 2, { 19, 37 } } }, .n_in = 1 },
    { .in = { { 4, { 2, 3, 4, 5 } } }, .n_in = 1, .args = "axes=0,2,1,3" },
    { .in = { { 3, { 2, 3, 4 } } }, .n_in = 1, .args = "axes=-1,0,1" },
};

const Op op_transpose = {
    .name = "transpose",
    .doc = "transpose(x, axes = nil) -> y: the axes in another order; by default reversed, which transposes a matrix.\n"
           "Shapes: x [d0, d1, …] -> y [d of axes[1], d of axes[2], …]. Axes count from 0. Any type.",
    .example = "local y = op.transpose({{1, 2, 3}, {4, 5, 6}}); assert(y[3][1] == 3 and y[1][2] == 4)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .any_in = 1,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
