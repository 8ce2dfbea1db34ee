// SPDX-License-Identifier: MIT
/* x [N, 2, n]: N blocks of a value half and a gate half -> y [N, n]. */
#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern_fun.h"

static int axis_of(const OpCall *call)
{
    int64_t axis = call->args->v[0].u.i;
    return (int)(axis < 0 ? axis + call->in[0].shape.rank : axis);
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape;
    char text[SHAPE_TEXT];
    int axis;
    if (!shape_axis(x, call->args->v[0].u.i, &axis, "glu", err))
        return false;
    if (x->d[axis] < 0 || x->d[axis] % 2)
        return op_refuse(call, err, "axis %d of x must have an even size, got shape %s", axis, shape_text(x, text));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = *x;
    call->out.shape.d[axis] /= 2;
    return true;
}

typedef struct Halves {
    OpCall *call;
    int64_t n; /* elements of a half */
    size_t N, n_tiles;
    bool back;
} Halves;

KERN_CLONES static void gate(real *restrict y, const real *restrict value, const real *restrict by, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = value[i] * fun_sigmoid(by[i]);
}

KERN_CLONES static void gate_back(real *restrict dvalue, real *restrict dby, const real *restrict dy, const real *restrict value,
                                  const real *restrict by, int64_t n, bool add)
{
    for (int64_t i = 0; i < n; i++) {
        real s = fun_sigmoid(by[i]);
        dvalue[i] = (add ? dvalue[i] : 0) + dy[i] * s;
        dby[i] = (add ? dby[i] : 0) + dy[i] * value[i] * s * (1 - s);
    }
}

static void tile(void *ctx, size_t number, int worker)
{
    (void)worker;
    const Halves *h = ctx;
    OpCall *call = h->call;
    int64_t n = h->n, end = (int64_t)pool_first(h->N, h->n_tiles, number + 1);
    for (int64_t b = (int64_t)pool_first(h->N, h->n_tiles, number); b < end; b++) {
        const real *x = tensor_real(&call->in[0]) + 2 * n * b;
        real *dx = h->back ? call->din[0] + 2 * n * b : NULL;
        if (h->back)
            gate_back(dx, dx + n, call->dout + n * b, x, x + n, n, call->add[0]);
        else
            gate(tensor_real(&call->out) + n * b, x, x + n, n);
    }
}

static void run(OpCall *call, bool back)
{
    int64_t n = shape_count_from(&call->out.shape, axis_of(call)), all = shape_count(&call->out.shape);
    Halves h = { .call = call, .n = n, .N = n > 0 ? (size_t)(all / n) : 0, .back = back };
    h.n_tiles = pool_tiles(h.N, 12.0 * (double)n);
    pool_run(h.n_tiles, tile, &h);
}

static void forward(OpCall *call)
{
    run(call, false);
}

static void backward(OpCall *call)
{
    if (call->din[0])
        run(call, true);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "axis", .type = ARG_INT, .fallback = "-1", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .help = "the axis that is halved" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 3, 8 } } }, .n_in = 1, .low = -2, .high = 2 },
    { .in = { { 3, { 2, 4, 3 } } }, .n_in = 1, .args = "axis=1", .low = -2, .high = 2 },
    { .in = { { 2, { 2, 3 } } }, .n_in = 1, .args = "axis=0" },
};

const Op op_glu = {
    .name = "glu",
    .doc = "glu(x, axis = -1) -> y: the first half of x along the axis, times the sigmoid of the second half.\n"
           "Shapes: x any, of even size along the axis -> y with half of it.  Source: Dauphin et al. 2017.",
    .example = "local y = op.glu({3, 0}); assert(#y == 1 and y[1] == 1.5)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = args,
    .n_args = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
