// SPDX-License-Identifier: MIT
#include "autograd/op.h"
#include "tensor/view.h"

enum { ARG_BEGIN, ARG_END, ARG_STEP };

static int64_t arg_at(const OpCall *call, int arg, int axis, int64_t otherwise)
{
    const ArgValue *value = &call->args->v[arg];
    return value->given && axis < value->u.ints.n ? value->u.ints.v[axis] : otherwise;
}

/* First index and how many, along one axis, clipped to its size as Python does. */
static void range_of(const OpCall *call, int axis, int64_t *first, int64_t *n)
{
    int64_t size = call->in[0].shape.d[axis], begin = arg_at(call, ARG_BEGIN, axis, 0), end = arg_at(call, ARG_END, axis, size);
    int64_t step = arg_at(call, ARG_STEP, axis, 1);
    begin = begin < 0 ? begin + size : begin;
    end = end < 0 ? end + size : end;
    begin = begin < 0 ? 0 : begin > size ? size : begin;
    end = end > size ? size : end;
    *first = begin;
    *n = end > begin ? (end - begin + step - 1) / step : 0;
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *in = &call->in[0].shape;
    char text[SHAPE_TEXT];
    for (int arg = ARG_BEGIN; arg <= ARG_STEP; arg++)
        if (call->args->v[arg].given && call->args->v[arg].u.ints.n > in->rank)
            return op_refuse(call, err, "%d numbers for %s, but shape %s has %d axes", call->args->v[arg].u.ints.n,
                             call->args->specs[arg].name, shape_text(in, text), in->rank);
    call->out.dtype = call->in[0].dtype;
    call->out.shape.rank = in->rank;
    for (int axis = 0; axis < in->rank; axis++) {
        int64_t first;
        bool whole = arg_at(call, ARG_BEGIN, axis, 0) == 0 && arg_at(call, ARG_END, axis, INT64_MAX) >= TENSOR_ELEMENTS_MOST &&
                     arg_at(call, ARG_STEP, axis, 1) == 1;
        if (in->d[axis] < 0 && !whole)
            return op_refuse(call, err, "axis %d is the batch, whose size is not known yet: take all of it", axis);
        if (in->d[axis] < 0)
            call->out.shape.d[axis] = in->d[axis];
        else
            range_of(call, axis, &first, &call->out.shape.d[axis]);
    }
    return true;
}

static View view_of(const OpCall *call)
{
    View view = { .rank = call->in[0].shape.rank };
    for (int axis = 0; axis < view.rank; axis++) {
        int64_t first, step = arg_at(call, ARG_STEP, axis, 1), apart = shape_count_from(&call->in[0].shape, axis + 1);
        range_of(call, axis, &first, &view.d[axis]);
        view.stride[axis] = step * apart;
        view.offset += first * apart;
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
        view_write(call->din[0], call->dout, &view, true);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "begin", .type = ARG_INTS, .fallback = "nil", .help = "first index of each axis, from 0; negative: from the end" },
    { .name = "end", .type = ARG_INTS, .fallback = "nil", .help = "index behind the last of each axis; negative: from the end" },
    { .name = "step", .type = ARG_INTS, .fallback = "nil", .least = 1, .most = 281474976710656.0, .help = "take every step-th" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 4, 5 } } }, .n_in = 1, .args = "begin=1 end=3" },
    { .in = { { 2, { 4, 5 } } }, .n_in = 1, .args = "begin=0,1 end=99,4" },
    { .in = { { 3, { 5, 6, 3 } } }, .n_in = 1, .args = "begin=1,0,-2 end=-1,6,3 step=2,3,1" },
};

const Op op_slice = {
    .name = "slice",
    .doc = "slice(x, begin = nil, end = nil, step = nil) -> y: a part of every axis: begin, begin + step, … before end.\n"
           "Indices count from 0; axes that are not named are taken whole; what lies outside is left out, as in Python.\n"
           "Shapes: x [d0, d1, …] -> y [ceil((end0 - begin0) / step0), …]. Any type.",
    .example = "local y = op.slice({10, 20, 30, 40}, {begin = 1, [\"end\"] = 3}); assert(y[1] == 20 and y[2] == 30)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .any_in = 1,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .backward_adds = true,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
