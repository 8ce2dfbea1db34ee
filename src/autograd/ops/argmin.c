// SPDX-License-Identifier: MIT
/* x is seen as [A, N, B] around the axis; rows of A are split over the pool. */
#include "autograd/op.h"
#include "base/pool.h"

typedef struct Search {
    const real *x;
    int32_t *y;
    int64_t N, B;
    size_t n, n_tiles;
} Search;

static bool infer(OpCall *call, Err *err)
{
    const Shape *in = &call->in[0].shape;
    char text[SHAPE_TEXT];
    int axis;
    if (in->rank == 0)
        return op_refuse(call, err, "a single number has no axis to search");
    if (!shape_axis(in, call->args->v[0].u.i, &axis, call->op->name, err))
        return false;
    if (in->d[axis] == 0)
        return op_refuse(call, err, "axis %d of shape %s is empty", axis, shape_text(in, text));
    call->out.dtype = DTYPE_INT32;
    call->out.shape.rank = 0;
    for (int i = 0; i < in->rank; i++)
        if (i != axis)
            call->out.shape.d[call->out.shape.rank++] = in->d[i];
    return true;
}

static void tile(void *ctx, size_t number, int worker)
{
    const Search *s = ctx;
    (void)worker;
    for (size_t a = pool_first(s->n, s->n_tiles, number), end = pool_first(s->n, s->n_tiles, number + 1); a < end; a++)
        for (int64_t b = 0; b < s->B; b++) {
            const real *x = s->x + (int64_t)a * s->N * s->B + b;
            int64_t best = 0;
            for (int64_t i = 1; i < s->N; i++)
                if (x[i * s->B] < x[best * s->B])
                    best = i;
            s->y[(int64_t)a * s->B + b] = (int32_t)best;
        }
}

static void forward(OpCall *call)
{
    const Shape *in = &call->in[0].shape;
    int axis = (int)call->args->v[0].u.i;
    axis += axis < 0 ? in->rank : 0;
    Search s = { .x = tensor_real(&call->in[0]), .y = tensor_int(&call->out), .N = in->d[axis], .B = shape_count_from(in, axis + 1) };
    int64_t count = shape_count(in);
    s.n = count ? (size_t)(count / s.N / s.B) : 0;
    s.n_tiles = pool_tiles(s.n, (double)(s.N * s.B));
    pool_run(s.n_tiles, tile, &s);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "axis", .type = ARG_INT, .fallback = "-1", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .help = "the axis that is searched" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .in = { { 3, { 2, 5, 3 } } }, .n_in = 1, .args = "axis=1" },
};

const Op op_argmin = {
    .name = "argmin",
    .doc = "argmin(x, axis = -1) -> y: the place of the smallest element along an axis, from 0; the first of equal ones.\n"
           "Shapes: x any -> y without that axis, int32. No gradient passes.",
    .example = "local y = op.argmin({{1, 5, 3}, {9, 2, 4}}); assert(y[1] == 0 and y[2] == 1)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
};
