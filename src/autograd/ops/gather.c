// SPDX-License-Identifier: MIT
/* x [N, C] and indices [K], C all axes but the first -> y [K, C]. Backward adds rows of dy to the rows they came from; indices may
 * repeat, so it is split over columns, and each column is added in the order of the indices. */
#include <string.h>

#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern.h"

typedef struct Rows {
    OpCall *call;
    size_t K, C, n_tiles;
} Rows;

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape, *indices = &call->in[1].shape;
    char text[SHAPE_TEXT];
    if (x->rank < 1 || x->rank - 1 + indices->rank > SHAPE_MOST)
        return op_refuse(call, err, "x must have 1 to %d axes beside those of the indices, got shape %s", SHAPE_MOST - indices->rank + 1,
                         shape_text(x, text));
    call->out.dtype = call->in[0].dtype;
    call->out.shape = *indices;
    for (int i = 1; i < x->rank; i++)
        call->out.shape.d[call->out.shape.rank++] = x->d[i];
    return true;
}

static bool check(const OpCall *call, Err *err)
{
    const int32_t *index = tensor_int(&call->in[1]);
    int64_t n = shape_count(&call->in[1].shape), size = call->in[0].shape.d[0];
    for (int64_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= size)
            return err_set(err, ERR_ARG, "gather: index %d (number %lld of the indices) is outside 0 to %lld, the rows of x", index[i],
                           (long long)i + 1, (long long)size - 1);
    return true;
}

static void copy_tile(void *ctx, size_t number, int worker)
{
    (void)worker;
    const Rows *rows = ctx;
    OpCall *call = rows->call;
    size_t size = rows->C * dtype_size(call->out.dtype), end = pool_first(rows->K, rows->n_tiles, number + 1);
    for (size_t k = pool_first(rows->K, rows->n_tiles, number); k < end; k++)
        memcpy((char *)call->out.data + k * size, (const char *)call->in[0].data + (size_t)tensor_int(&call->in[1])[k] * size, size);
}

static void add_tile(void *ctx, size_t number, int worker)
{
    (void)worker;
    const Rows *rows = ctx;
    const int32_t *index = tensor_int(&rows->call->in[1]);
    size_t first = pool_first(rows->C, rows->n_tiles, number), n = pool_first(rows->C, rows->n_tiles, number + 1) - first;
    for (size_t k = 0; k < rows->K; k++)
        kern_add_to(rows->call->din[0] + (size_t)index[k] * rows->C + first, rows->call->dout + k * rows->C + first, (int64_t)n);
}

static void forward(OpCall *call)
{
    Rows rows = { call, (size_t)shape_count(&call->in[1].shape), (size_t)shape_count_from(&call->in[0].shape, 1), 1 };
    rows.n_tiles = pool_tiles(rows.K, (double)rows.C);
    pool_run(rows.n_tiles, copy_tile, &rows);
}

static void backward(OpCall *call)
{
    Rows rows = { call, (size_t)shape_count(&call->in[1].shape), (size_t)shape_count_from(&call->in[0].shape, 1), 1 };
    if (!call->din[0])
        return;
    /* Tiles of at least 32 columns: a cache line or more of each row. */
    rows.n_tiles = pool_tiles(rows.C, (double)rows.K);
    if (rows.n_tiles > rows.C / 32)
        rows.n_tiles = rows.C / 32 ? rows.C / 32 : 1;
    pool_run(rows.n_tiles, add_tile, &rows);
}

static const char *const in_names[] = { "x", "indices" };
static const OpCase cases[] = {
    { .in = { { 2, { 5, 3 } }, { 1, { 7 } } }, .n_in = 2, .classes = 5 },
    { .in = { { 1, { 4 } }, { 2, { 2, 3 } } }, .n_in = 2, .classes = 4 },
    { .in = { { 3, { 3, 2, 2 } }, { 2, { 2, 2 } } }, .n_in = 2, .classes = 3 },
};

const Op op_gather = {
    .name = "gather",
    .doc = "gather(x, indices) -> y: rows of x by number, from 0; the look-up of an embedding.\n"
           "Shapes: x [N, …], indices [K, …] int32 in 0 … N-1 -> y [K, …, …]. x of any type.",
    .example = "local y = op.gather({10, 20, 30}, tensor({2, 0}, \"int32\")); assert(y[1] == 30 and y[2] == 10)",
    .in_least = 2,
    .in_most = 2,
    .in_names = in_names,
    .integer_in = 2,
    .any_in = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .backward_adds = true,
    .infer = infer,
    .check = check,
    .forward = forward,
    .backward = backward,
};
