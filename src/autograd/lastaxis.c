// SPDX-License-Identifier: MIT
#include "autograd/lastaxis.h"

const ArgSpec lastaxis_args[1] = {
    { .name = "axis", .type = ARG_INT, .fallback = "-1", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .help = "along which axis; 0 is the batch, -1 the last" },
};

static void measure(LastAxis *view, const OpCall *call)
{
    const Shape *shape = &call->in[0].shape;
    int64_t axis = call->args->v[0].u.i;
    int at = (int)(axis < 0 ? axis + shape->rank : axis);
    view->C = shape->d[at];
    view->inner = shape_count_from(shape, at + 1);
    view->outer = 1;
    for (int i = 0; i < at; i++)
        view->outer *= shape->d[i];
    view->N = view->outer * view->inner;
}

bool lastaxis_infer(OpCall *call, Err *err)
{
    int axis;
    if (!shape_axis(&call->in[0].shape, call->args->v[0].u.i, &axis, call->op->name, err))
        return false;
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = call->in[0].shape;
    if (axis != call->in[0].shape.rank - 1)
        call->scratch_size = 3 * (size_t)shape_count(&call->in[0].shape) * sizeof(real);
    return true;
}

const real *lastaxis_open(LastAxis *view, const OpCall *call, const real *from, int which)
{
    measure(view, call);
    view->scratch = call->scratch;
    return lastaxis_in(view, from, which);
}

const real *lastaxis_in(const LastAxis *view, const real *from, int which)
{
    if (view->inner == 1)
        return from;
    real *rows = view->scratch + which * view->N * view->C;
    for (int64_t o = 0; o < view->outer; o++)
        for (int64_t c = 0; c < view->C; c++)
            for (int64_t i = 0; i < view->inner; i++)
                rows[(o * view->inner + i) * view->C + c] = from[(o * view->C + c) * view->inner + i];
    return rows;
}

real *lastaxis_out(const LastAxis *view, real *to, int which)
{
    return view->inner == 1 ? to : view->scratch + which * view->N * view->C;
}

void lastaxis_close(const LastAxis *view, real *to, const real *rows, bool add)
{
    if (rows == to)
        return;
    for (int64_t o = 0; o < view->outer; o++)
        for (int64_t c = 0; c < view->C; c++)
            for (int64_t i = 0; i < view->inner; i++) {
                real value = rows[(o * view->inner + i) * view->C + c], *at = to + (o * view->C + c) * view->inner + i;
                *at = add ? *at + value : value;
            }
}
