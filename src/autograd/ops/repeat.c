// SPDX-License-Identifier: MIT
/* x [N, n] with N = all axes up to the repeated one -> y [N, repeats, n]. */
#include <string.h>

#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern.h"

typedef struct Blocks {
    OpCall *call;
    int64_t n, times;
    size_t N, n_tiles;
} Blocks;

static int axis_of(const OpCall *call)
{
    int64_t axis = call->args->v[1].u.i;
    return (int)(axis < 0 ? axis + call->in[0].shape.rank : axis);
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape;
    char text[SHAPE_TEXT];
    int axis;
    if (!shape_axis(x, call->args->v[1].u.i, &axis, "repeat", err))
        return false;
    call->out.dtype = call->in[0].dtype;
    call->out.shape = *x;
    int64_t *size = &call->out.shape.d[axis];
    if (*size < 0)
        return op_refuse(call, err, "axis %d is the batch, whose size is not known yet", axis);
    if (__builtin_mul_overflow(*size, call->args->v[0].u.i, size))
        return op_refuse(call, err, "%lld times shape %s is more than memory can hold", (long long)call->args->v[0].u.i, shape_text(x, text));
    return true;
}

static void forward_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Blocks *b = ctx;
    size_t size = (size_t)b->n * dtype_size(b->call->out.dtype), end = pool_first(b->N, b->n_tiles, tile + 1);
    const char *x = b->call->in[0].data;
    char *y = b->call->out.data;
    for (size_t i = pool_first(b->N, b->n_tiles, tile); i < end; i++)
        for (size_t k = 0; k < (size_t)b->times; k++)
            memcpy(y + (i * (size_t)b->times + k) * size, x + i * size, size);
}

KERN_CLONES static void sum_block(real *restrict dx, const real *restrict dy, int64_t n, int64_t times, bool add)
{
    for (int64_t c = 0; c < n; c++)
        dx[c] = (add ? dx[c] : 0) + dy[c];
    for (int64_t k = 1; k < times; k++)
        for (int64_t c = 0; c < n; c++)
            dx[c] += dy[k * n + c];
}

static void backward_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Blocks *b = ctx;
    size_t end = pool_first(b->N, b->n_tiles, tile + 1);
    for (size_t i = pool_first(b->N, b->n_tiles, tile); i < end; i++) {
        int64_t at = (int64_t)i * b->n;
        sum_block(b->call->din[0] + at, b->call->dout + at * b->times, b->n, b->times, b->call->add[0]);
    }
}

static void run(OpCall *call, PoolFn tile)
{
    Blocks b = { .call = call, .n = shape_count_from(&call->in[0].shape, axis_of(call) + 1), .times = call->args->v[0].u.i };
    int64_t all = shape_count(&call->in[0].shape);
    b.N = b.n > 0 ? (size_t)(all / b.n) : 0;
    b.n_tiles = pool_tiles(b.N, (double)(b.n * b.times));
    pool_run(b.N > 0 ? b.n_tiles : 0, tile, &b);
}

static void forward(OpCall *call)
{
    run(call, forward_tile);
}

static void backward(OpCall *call)
{
    if (call->din[0])
        run(call, backward_tile);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "repeats", .type = ARG_INT, .least = 1, .most = 1 << 24, .help = "how many times" },
    { .name = "axis", .type = ARG_INT, .fallback = "-1", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .help = "along which axis" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "repeats=3" },
    { .in = { { 3, { 2, 3, 5 } } }, .n_in = 1, .args = "repeats=2 axis=1" },
    { .in = { { 3, { 2, 3, 2 } } }, .n_in = 1, .args = "repeats=2 axis=0" },
};

const Op op_repeat = {
    .name = "repeat",
    .doc = "repeat(x, repeats, axis = -1) -> y: each element along the axis several times, one behind the other.\n"
           "Shapes: x [.., n, ..] -> y [.., n * repeats, ..]. Any type.",
    .example = "local y = op[\"repeat\"]({1, 2}, 2); assert(#y == 4 and y[2] == 1 and y[3] == 2)",
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
