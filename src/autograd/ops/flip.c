// SPDX-License-Identifier: MIT
#include "autograd/op.h"
#include "tensor/view.h"

static bool infer(OpCall *call, Err *err)
{
    const ArgValue *axes = &call->args->v[0];
    int axis;
    for (int i = 0; axes->given && i < axes->u.ints.n; i++)
        if (!shape_axis(&call->in[0].shape, axes->u.ints.v[i], &axis, "flip", err))
            return false;
    call->out.dtype = call->in[0].dtype;
    call->out.shape = call->in[0].shape;
    return true;
}

static View view_of(const OpCall *call)
{
    const Shape *shape = &call->in[0].shape;
    const ArgValue *axes = &call->args->v[0];
    View view = { .rank = shape->rank };
    bool turn[SHAPE_MOST] = { false };
    for (int axis = 0; axis < shape->rank; axis++)
        turn[axis] = !axes->given;
    for (int i = 0, axis; axes->given && i < axes->u.ints.n; i++)
        if (shape_axis(shape, axes->u.ints.v[i], &axis, "flip", NULL))
            turn[axis] = true;
    for (int axis = 0; axis < shape->rank; axis++) {
        int64_t apart = shape_count_from(shape, axis + 1);
        view.d[axis] = shape->d[axis];
        view.stride[axis] = turn[axis] ? -apart : apart;
        view.offset += turn[axis] ? (shape->d[axis] - 1) * apart : 0;
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
    { .name = "axis", .type = ARG_INTS, .fallback = "nil", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .help = "axes that are turned round; nil: all" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 4, 5 } } }, .n_in = 1 },
    { .in = { { 3, { 3, 4, 5 } } }, .n_in = 1, .args = "axis=1" },
    { .in = { { 3, { 3, 1, 40 } } }, .n_in = 1, .args = "axis=-1,0" },
};

const Op op_flip = {
    .name = "flip",
    .doc = "flip(x, axis = nil) -> y: the same elements, last to first along the axes that are named.\n"
           "Shapes: x any -> y the same. Any type.",
    .example = "local y = op.flip({{1, 2}, {3, 4}}, 1); assert(y[1][1] == 2 and y[2][2] == 3)",
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
