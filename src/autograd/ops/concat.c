// SPDX-License-Identifier: MIT
/* Along the axis, x_i [A, C_i] -> y [A, sum of C_i], where A is all axes before and C_i the rest. */
#include <string.h>

#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern.h"

static bool infer(OpCall *call, Err *err)
{
    char first[SHAPE_TEXT], other[SHAPE_TEXT];
    int axis;
    if (!shape_axis(&call->in[0].shape, call->args->v[0].u.i, &axis, "concat", err))
        return false;
    Shape out = call->in[0].shape;
    for (int i = 1; i < call->n_in; i++) {
        if (!call->has[i])
            return op_refuse(call, err, "input %d is missing", i + 1);
        Shape in = call->in[i].shape, as_first = in;
        if (in.rank == out.rank)
            as_first.d[axis] = call->in[0].shape.d[axis];
        if (!shape_same(&as_first, &call->in[0].shape) || call->in[i].dtype != call->in[0].dtype)
            return op_refuse(call, err, "input %d has shape %s (%s) and the first %s (%s); all must agree but for axis %d", i + 1,
                             shape_text(&in, other), dtype_name(call->in[i].dtype), shape_text(&call->in[0].shape, first),
                             dtype_name(call->in[0].dtype), axis);
        if (in.d[axis] < 0 || out.d[axis] < 0)
            return op_refuse(call, err, "axis %d is the batch, whose size is not known yet", axis);
        out.d[axis] += in.d[axis];
    }
    call->out.dtype = call->in[0].dtype;
    call->out.shape = out;
    return true;
}

typedef struct Rows {
    OpCall *call;
    int axis;
    size_t A, n_tiles;
    size_t C; /* of y, elements */
    bool back;
} Rows;

static void copy_rows(const Rows *rows, int i, size_t column, size_t C, size_t first, size_t end)
{
    OpCall *call = rows->call;
    size_t size = dtype_size(call->out.dtype);
    for (size_t a = first; a < end; a++) {
        if (!rows->back) {
            memcpy((char *)call->out.data + (a * rows->C + column) * size, (const char *)call->in[i].data + a * C * size, C * size);
            continue;
        }
        const real *from = call->dout + a * rows->C + column;
        if (call->add[i])
            kern_add_to(call->din[i] + a * C, from, (int64_t)C);
        else
            kern_copy(call->din[i] + a * C, from, (int64_t)C);
    }
}

static void tile(void *ctx, size_t number, int worker)
{
    (void)worker;
    const Rows *rows = ctx;
    size_t first = pool_first(rows->A, rows->n_tiles, number), end = pool_first(rows->A, rows->n_tiles, number + 1), column = 0;
    for (int i = 0; i < rows->call->n_in; i++) {
        size_t C = (size_t)shape_count_from(&rows->call->in[i].shape, rows->axis);
        if (!rows->back || rows->call->din[i])
            copy_rows(rows, i, column, C, first, end);
        column += C;
    }
}

static void run(OpCall *call, bool back)
{
    int64_t axis = call->args->v[0].u.i;
    Rows rows = { .call = call, .axis = (int)(axis < 0 ? axis + call->out.shape.rank : axis), .A = 1, .back = back };
    for (int i = 0; i < rows.axis; i++)
        rows.A *= (size_t)call->out.shape.d[i];
    rows.C = (size_t)shape_count_from(&call->out.shape, rows.axis);
    rows.n_tiles = pool_tiles(rows.A, (double)rows.C);
    pool_run(rows.n_tiles, tile, &rows);
}

static void forward(OpCall *call)
{
    run(call, false);
}

static void backward(OpCall *call)
{
    run(call, true);
}

static const char *const in_names[OP_IN_MOST] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p" };
static const ArgSpec args[] = {
    { .name = "axis", .type = ARG_INT, .fallback = "-1", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .help = "the axis that grows" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } }, { 2, { 3, 2 } } }, .n_in = 2 },
    { .in = { { 3, { 2, 1, 2 } }, { 3, { 2, 3, 2 } }, { 3, { 2, 2, 2 } } }, .n_in = 3, .args = "axis=1" },
    { .in = { { 2, { 3, 2 } }, { 2, { 1, 2 } } }, .n_in = 2, .args = "axis=0" },
    { .in = { { 1, { 5 } } }, .n_in = 1 },
};

const Op op_concat = {
    .name = "concat",
    .doc = "concat(a, b, …, {axis = -1}) -> y: up to 16 tensors one behind the other along an axis.\n"
           "Shapes: equal but for that axis, whose sizes are added. Any type, the same for all.",
    .example = "local y = op.concat({1, 2}, {3}); assert(#y == 3 and y[3] == 3)",
    .in_least = 1,
    .in_most = OP_IN_MOST,
    .in_names = in_names,
    .any_in = 0xffff,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
