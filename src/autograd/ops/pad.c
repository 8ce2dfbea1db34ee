// SPDX-License-Identifier: MIT
/* What lies behind the last padded axis moves in straight runs of n elements; a run is found from its place in x. */
#include <string.h>

#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern.h"

enum { ARG_BEFORE, ARG_AFTER };

static int64_t arg_at(const OpCall *call, int arg, int axis)
{
    const ArgValue *value = &call->args->v[arg];
    return value->given && axis < value->u.ints.n ? value->u.ints.v[axis] : 0;
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape;
    char text[SHAPE_TEXT];
    for (int arg = ARG_BEFORE; arg <= ARG_AFTER; arg++)
        if (call->args->v[arg].given && call->args->v[arg].u.ints.n > x->rank)
            return op_refuse(call, err, "%d numbers for %s, but shape %s has %d axes", call->args->v[arg].u.ints.n,
                             call->args->specs[arg].name, shape_text(x, text), x->rank);
    call->out.dtype = call->in[0].dtype;
    call->out.shape = *x;
    for (int axis = 0; axis < x->rank; axis++) {
        int64_t more = arg_at(call, ARG_BEFORE, axis) + arg_at(call, ARG_AFTER, axis);
        if (x->d[axis] < 0 && more > 0)
            return op_refuse(call, err, "axis %d is the batch, whose size is not known yet: it cannot be padded", axis);
        call->out.shape.d[axis] += x->d[axis] < 0 ? 0 : more;
    }
    return true;
}

typedef struct Runs {
    OpCall *call;
    int axes;         /* up to the last padded one */
    int64_t n;        /* elements of a run */
    int64_t first;    /* of the run within its line of y: before the last padded axis */
    size_t N, n_tiles;
    bool back;
} Runs;

/* Where run i of x starts in y. */
static int64_t place(const Runs *runs, size_t i)
{
    const OpCall *call = runs->call;
    int64_t rest = (int64_t)i, at = 0, apart = shape_count_from(&call->out.shape, runs->axes);
    for (int axis = runs->axes - 1; axis >= 0; axis--) {
        int64_t size = axis == runs->axes - 1 ? 1 : call->in[0].shape.d[axis];
        at += (rest % size + arg_at(call, ARG_BEFORE, axis)) * apart;
        rest /= size;
        apart *= call->out.shape.d[axis];
    }
    return at;
}

static void tile(void *ctx, size_t number, int worker)
{
    (void)worker;
    const Runs *runs = ctx;
    OpCall *call = runs->call;
    size_t size = dtype_size(call->out.dtype), end = pool_first(runs->N, runs->n_tiles, number + 1);
    for (size_t i = pool_first(runs->N, runs->n_tiles, number); i < end; i++) {
        int64_t from = (int64_t)i * runs->n, at = place(runs, i);
        if (runs->back)
            op_give(call->din[0] + from, call->dout + at, runs->n, call->add[0]);
        else
            memcpy((char *)call->out.data + (size_t)at * size, (const char *)call->in[0].data + (size_t)from * size, (size_t)runs->n * size);
    }
}

static void run(OpCall *call, bool back)
{
    const Shape *x = &call->in[0].shape;
    Runs runs = { .call = call, .axes = 1, .back = back };
    for (int axis = 0; axis < x->rank; axis++)
        if (call->out.shape.d[axis] != x->d[axis])
            runs.axes = axis + 1;
    runs.axes = x->rank == 0 ? 0 : runs.axes;
    runs.n = runs.axes > 0 ? shape_count_from(x, runs.axes - 1) : 1;
    runs.N = runs.n > 0 ? (size_t)(shape_count(x) / runs.n) : 0;
    runs.n_tiles = pool_tiles(runs.N, (double)runs.n / 2);
    pool_run(runs.N > 0 ? runs.n_tiles : 0, tile, &runs);
}

static void forward(OpCall *call)
{
    memset(call->out.data, 0, tensor_size(&call->out));
    run(call, false);
}

static void backward(OpCall *call)
{
    if (call->din[0])
        run(call, true);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "before", .type = ARG_INTS, .fallback = "nil", .least = 0, .most = 1 << 24, .help = "how many zeros in front of each axis" },
    { .name = "after", .type = ARG_INTS, .fallback = "nil", .least = 0, .most = 1 << 24, .help = "how many zeros behind each axis" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "before=1,2 after=0,1" },
    { .in = { { 3, { 2, 3, 2 } } }, .n_in = 1, .args = "before=0,2 after=0,1" },
    { .in = { { 4, { 2, 2, 3, 2 } } }, .n_in = 1, .args = "before=0,1,0 after=0,0,2" },
    { .in = { { 1, { 5 } } }, .n_in = 1 },
};

const Op op_pad = {
    .name = "pad",
    .doc = "pad(x, before = nil, after = nil) -> y: zeros in front of and behind each axis; axes that are not named get none.\n"
           "Shapes: x [d0, d1, …] -> y [before0 + d0 + after0, …]. Any type.",
    .example = "local y = op.pad({1, 2}, {1}, {2}); assert(#y == 5 and y[1] == 0 and y[2] == 1 and y[5] == 0)",
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
