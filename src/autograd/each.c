// SPDX-License-Identifier: MIT
#include "autograd/each.h"

#include <math.h>

#include "base/pool.h"

/* ---- one input ---- */

bool each_infer(OpCall *call, Err *err)
{
    (void)err;
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = call->in[0].shape;
    return true;
}

typedef struct Each {
    EachFn forward;
    EachArgFn forward_with;
    EachBackFn backward;
    real *y;
    EachBack whole; /* n: of the whole */
    size_t n_tiles;
} Each;

static void each_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Each *each = ctx;
    size_t first = pool_first((size_t)each->whole.n, each->n_tiles, tile);
    size_t end = pool_first((size_t)each->whole.n, each->n_tiles, tile + 1);
    EachBack run = each->whole;
    run.x += first;
    run.n = (int64_t)(end - first);
    if (each->forward) {
        each->forward(each->y + first, run.x, run.n);
    } else if (each->forward_with) {
        each->forward_with(each->y + first, run.x, run.n, run.p);
    } else {
        run.dx += first;
        run.dy += first;
        run.y += first;
        each->backward(&run);
    }
}

static void run_each(Each *each, double cost)
{
    each->n_tiles = pool_tiles((size_t)each->whole.n, cost);
    if (each->n_tiles == 1)
        each_tile(each, 0, 0);
    else
        pool_run(each->n_tiles, each_tile, each);
}

static Each each_forwards(const OpCall *call)
{
    return (Each){ .y = tensor_real(&call->out), .whole = { .x = tensor_real(&call->in[0]), .n = shape_count(&call->out.shape) } };
}

static Each each_backwards(const OpCall *call)
{
    return (Each){ .whole = { call->din[0], call->dout, tensor_real(&call->in[0]), tensor_real(&call->out), call->add[0],
                              shape_count(&call->out.shape), NULL } };
}

void each_forward(OpCall *call, EachFn fn, double cost)
{
    Each each = each_forwards(call);
    each.forward = fn;
    run_each(&each, cost);
}

void each_backward(OpCall *call, EachBackFn fn, double cost)
{
    if (!call->din[0])
        return;
    Each each = each_backwards(call);
    each.backward = fn;
    run_each(&each, cost);
}

void each_params(const OpCall *call, real p[EACH_PARAMS])
{
    for (int i = 0; i < EACH_PARAMS; i++) {
        const ArgValue *value = &call->args->v[i];
        if (i >= call->op->n_args)
            p[i] = 0;
        else if (!value->given)
            p[i] = (real)INFINITY;
        else
            p[i] = call->op->args[i].type == ARG_BOOL ? (real)value->u.b : (real)value->u.f;
    }
}

void each_forward_with(OpCall *call, EachArgFn fn, double cost)
{
    real p[EACH_PARAMS];
    Each each = each_forwards(call);
    each_params(call, p);
    each.forward_with = fn;
    each.whole.p = p;
    run_each(&each, cost);
}

void each_backward_with(OpCall *call, EachBackFn fn, double cost)
{
    if (!call->din[0])
        return;
    real p[EACH_PARAMS];
    Each each = each_backwards(call);
    each_params(call, p);
    each.backward = fn;
    each.whole.p = p;
    run_each(&each, cost);
}

/* ---- two inputs ---- */

bool pair_infer(OpCall *call, Err *err)
{
    call->out.dtype = DTYPE_FLOAT32;
    const Shape *out = &call->out.shape;
    if (shape_same(&call->in[0].shape, &call->in[1].shape))
        call->out.shape = call->in[0].shape;
    else if (!shape_broadcast(&call->in[0].shape, &call->in[1].shape, &call->out.shape, call->op->name, err))
        return false;
    for (int i = 0; call->wants_grad && i < 2; i++) {
        if (shape_same(out, &call->in[i].shape))
            continue;
        Reduce plan;
        reduce_plan(&plan, out, reduce_axes_between(out, &call->in[i].shape));
        size_t whole = ((size_t)shape_count(out) * sizeof(real) + 63) / 64 * 64, size = whole + reduce_scratch(&plan);
        call->scratch_size = size > call->scratch_size ? size : call->scratch_size;
    }
    return true;
}

static Run pair_whole(const OpCall *call)
{
    return (Run){ .a = tensor_real(&call->in[0]), .b = tensor_real(&call->in[1]), .factor = 1 };
}

void pair_forward(OpCall *call, RunFn fn)
{
    Run whole = pair_whole(call);
    whole.y = tensor_real(&call->out);
    broadcast_run(fn, &whole, &call->out.shape, &call->in[0].shape, &call->in[1].shape);
}

/* din[i] (+)= factor * full, which has the shape of out, summed over the axes that the input was repeated along. */
static void give_summed(OpCall *call, int i, const real *full, real factor, void *scratch)
{
    Reduce plan;
    reduce_plan(&plan, &call->out.shape, reduce_axes_between(&call->out.shape, &call->in[i].shape));
    reduce_sum(call->din[i], full, &plan, factor, call->add[i], scratch);
}

void pair_backward(OpCall *call, int i, RunFn fn)
{
    if (!call->din[i])
        return;
    const Shape *out = &call->out.shape;
    Run whole = pair_whole(call);
    whole.g = call->dout;
    bool direct = shape_same(out, &call->in[i].shape);
    whole.y = direct ? call->din[i] : call->scratch;
    whole.add = direct && call->add[i];
    broadcast_run(fn, &whole, out, &call->in[0].shape, &call->in[1].shape);
    size_t size = ((size_t)shape_count(out) * sizeof(real) + 63) / 64 * 64;
    if (!direct)
        give_summed(call, i, call->scratch, 1, (char *)call->scratch + size);
}

void pair_backward_linear(OpCall *call, int i, real factor)
{
    if (!call->din[i])
        return;
    const Shape *out = &call->out.shape;
    if (!shape_same(out, &call->in[i].shape))
        give_summed(call, i, call->dout, factor, call->scratch);
    else if (factor == 1)
        op_give(call->din[i], call->dout, shape_count(out), call->add[i]);
    else
        broadcast_copy(call->din[i], out, call->dout, out, factor, call->add[i]);
}

/* ---- reductions ---- */

const ArgSpec each_reduce_args[2] = {
    { .name = "axis", .type = ARG_INTS, .fallback = "nil", .help = "axis or axes to reduce, 0 the first, -1 the last; nil: all" },
    { .name = "keepdims", .type = ARG_BOOL, .fallback = "false", .help = "keep the reduced axes with size 1" },
};
enum { ARG_AXIS, ARG_KEEPDIMS };

unsigned reduce_axes(const OpCall *call, Shape *kept)
{
    const ArgValue *value = &call->args->v[ARG_AXIS];
    int rank = call->in[0].shape.rank;
    unsigned axes = value->given ? 0 : (1u << rank) - 1;
    for (int i = 0; value->given && i < value->u.ints.n; i++)
        axes |= 1u << (value->u.ints.v[i] < 0 ? value->u.ints.v[i] + rank : value->u.ints.v[i]);
    *kept = call->in[0].shape;
    for (int i = 0; i < rank; i++)
        if (axes >> i & 1)
            kept->d[i] = 1;
    return axes;
}

bool reduce_infer(OpCall *call, Err *err)
{
    const Shape *in = &call->in[0].shape;
    const ArgValue *value = &call->args->v[ARG_AXIS];
    for (int i = 0, axis; value->given && i < value->u.ints.n; i++)
        if (!shape_axis(in, value->u.ints.v[i], &axis, call->op->name, err))
            return false;
    Shape kept;
    unsigned axes = reduce_axes(call, &kept);
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = kept;
    if (!call->args->v[ARG_KEEPDIMS].u.b) {
        call->out.shape.rank = 0;
        for (int i = 0; i < kept.rank; i++)
            if (!(axes >> i & 1))
                call->out.shape.d[call->out.shape.rank++] = kept.d[i];
    }
    Reduce plan;
    reduce_plan(&plan, in, axes);
    call->scratch_size = reduce_scratch(&plan);
    return true;
}
