// SPDX-License-Identifier: MIT
#include "tensor/broadcast.h"

#include <string.h>

#include "base/pool.h"
#include "tensor/kern.h"

/* The merged axes, last one innermost: sizes, and each operand's elements from one index to the next (0: it stands still). */
typedef struct Plan {
    RunFn fn;
    const Run *whole;
    int rank;
    int64_t d[SHAPE_MOST], a_stride[SHAPE_MOST], b_stride[SHAPE_MOST];
    size_t count, n_tiles;
} Plan;

static int64_t size_at(const Shape *shape, int rank, int axis)
{
    int own = axis - (rank - shape->rank);
    return own < 0 ? 1 : shape->d[own];
}

static void plan_init(Plan *plan, const Shape *shape, const Shape *a, const Shape *b)
{
    int64_t a_step = 1, b_step = 1;
    bool a_last = false, b_last = false;
    int n = 0; /* merged axes so far, innermost first */
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        int64_t size = shape->d[axis];
        if (size == 1)
            continue;
        bool a_moves = size_at(a, shape->rank, axis) != 1, b_moves = size_at(b, shape->rank, axis) != 1;
        if (n > 0 && a_moves == a_last && b_moves == b_last) {
            plan->d[n - 1] *= size;
        } else {
            plan->d[n] = size;
            plan->a_stride[n] = a_moves ? a_step : 0;
            plan->b_stride[n] = b_moves ? b_step : 0;
            n++;
        }
        a_step *= a_moves ? size : 1;
        b_step *= b_moves ? size : 1;
        a_last = a_moves;
        b_last = b_moves;
    }
    if (n == 0) {
        plan->d[0] = 1;
        plan->a_stride[0] = plan->b_stride[0] = 1;
        n = 1;
    }
    plan->rank = n;
    plan->count = (size_t)shape_count(shape);
}

/* Elements first … end-1 of y, run by run. */
static void run_range(const Plan *plan, int64_t first, int64_t end)
{
    int64_t index[SHAPE_MOST], rest = first, a_at = 0, b_at = 0;
    for (int k = 0; k < plan->rank; k++) {
        index[k] = rest % plan->d[k];
        rest /= plan->d[k];
        a_at += index[k] * plan->a_stride[k];
        b_at += index[k] * plan->b_stride[k];
    }
    Run run = *plan->whole;
    run.a_moves = plan->a_stride[0] != 0;
    run.b_moves = plan->b_stride[0] != 0;
    for (int64_t at = first; at < end; at += run.n) {
        run.n = plan->d[0] - index[0];
        if (run.n > end - at)
            run.n = end - at;
        run.y = plan->whole->y + at;
        run.g = plan->whole->g ? plan->whole->g + at : NULL;
        run.a = plan->whole->a + a_at;
        run.b = plan->whole->b ? plan->whole->b + b_at : NULL;
        plan->fn(&run);
        a_at -= index[0] * plan->a_stride[0];
        b_at -= index[0] * plan->b_stride[0];
        index[0] = 0;
        for (int k = 1; k < plan->rank; k++) {
            a_at += plan->a_stride[k];
            b_at += plan->b_stride[k];
            if (++index[k] < plan->d[k])
                break;
            a_at -= plan->d[k] * plan->a_stride[k];
            b_at -= plan->d[k] * plan->b_stride[k];
            index[k] = 0;
        }
    }
}

static void run_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Plan *plan = ctx;
    run_range(plan, (int64_t)pool_first(plan->count, plan->n_tiles, tile), (int64_t)pool_first(plan->count, plan->n_tiles, tile + 1));
}

void broadcast_run(RunFn fn, const Run *whole, const Shape *shape, const Shape *a_shape, const Shape *b_shape)
{
    Plan plan;
    plan_init(&plan, shape, a_shape, b_shape);
    if (plan.count == 0)
        return;
    plan.fn = fn;
    plan.whole = whole;
    plan.n_tiles = pool_tiles(plan.count, 1);
    pool_run(plan.n_tiles, run_tile, &plan);
}

KERN_CLONES static void copy_run(const Run *run)
{
    real *restrict y = run->y;
    const real *x = run->a;
    const real factor = run->factor, value = run->a_moves ? 0 : factor * *x;
    if (run->a_moves && run->add)
        for (int64_t i = 0; i < run->n; i++)
            y[i] += factor * x[i];
    else if (run->a_moves)
        for (int64_t i = 0; i < run->n; i++)
            y[i] = factor * x[i];
    else if (run->add)
        for (int64_t i = 0; i < run->n; i++)
            y[i] += value;
    else
        for (int64_t i = 0; i < run->n; i++)
            y[i] = value;
}

void broadcast_copy(real *y, const Shape *shape, const real *x, const Shape *x_shape, real factor, bool add)
{
    Run whole = { .y = y, .a = x, .add = add, .factor = factor };
    broadcast_run(copy_run, &whole, shape, x_shape, x_shape);
}
