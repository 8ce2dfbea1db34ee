// SPDX-License-Identifier: MIT
/* y = max(x - tau, 0) with the one tau for which y sums to 1. It is found without sorting: from the mean of all, elements at or
 * below tau leave, until none does (Michelot 1986). */
#include <math.h>

#include "autograd/lastaxis.h"
#include "base/pool.h"
#include "tensor/kern.h"

typedef struct Rows {
    real *to;
    const real *x, *dy; /* backward: x is y */
    int64_t N, C;
    size_t n_tiles;
    bool add;
} Rows;

static real find_tau(const real *x, int64_t C)
{
    real tau = (real)-INFINITY;
    for (int64_t before = -1, n = 0; n != before;) {
        double sum = 0;
        before = n;
        n = 0;
        for (int64_t c = 0; c < C; c++)
            if (!(x[c] <= tau)) {
                sum += (double)x[c];
                n++;
            }
        if (n)
            tau = (real)((sum - 1) / (double)n);
    }
    return tau;
}

static void project_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Rows *rows = ctx;
    int64_t C = rows->C, end = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, tile + 1);
    for (int64_t r = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, tile); r < end; r++) {
        const real *x = rows->x + r * C;
        real *y = rows->to + r * C, tau = find_tau(x, C);
        for (int64_t c = 0; c < C; c++)
            y[c] = x[c] <= tau ? 0 : x[c] - tau;
    }
}

static void back_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Rows *rows = ctx;
    int64_t C = rows->C, end = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, tile + 1);
    for (int64_t r = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, tile); r < end; r++) {
        const real *y = rows->x + r * C, *dy = rows->dy + r * C;
        real *dx = rows->to + r * C;
        double sum = 0, n = 0;
        for (int64_t c = 0; c < C; c++)
            if (y[c] > 0) {
                sum += (double)dy[c];
                n++;
            }
        real mean = n > 0 ? (real)(sum / n) : 0;
        for (int64_t c = 0; c < C; c++)
            dx[c] = (rows->add ? dx[c] : 0) + (y[c] > 0 ? dy[c] - mean : 0);
    }
}

static void run(Rows *rows, PoolFn fn)
{
    rows->n_tiles = pool_tiles((size_t)rows->N, 20.0 * (double)rows->C);
    pool_run(rows->N * rows->C > 0 ? rows->n_tiles : 0, fn, rows);
}

static bool infer(OpCall *call, Err *err)
{
    return lastaxis_infer(call, err);
}

static void forward(OpCall *call)
{
    LastAxis view;
    Rows rows = { .x = lastaxis_open(&view, call, tensor_real(&call->in[0]), 0) };
    rows.to = lastaxis_out(&view, tensor_real(&call->out), 1);
    rows.N = view.N, rows.C = view.C;
    run(&rows, project_tile);
    lastaxis_close(&view, tensor_real(&call->out), rows.to, false);
}

static void backward(OpCall *call)
{
    if (!call->din[0])
        return;
    LastAxis view;
    Rows rows = { .x = lastaxis_open(&view, call, tensor_real(&call->out), 0) };
    rows.dy = lastaxis_in(&view, call->dout, 1);
    rows.to = lastaxis_out(&view, call->din[0], 2);
    rows.N = view.N, rows.C = view.C;
    rows.add = rows.to == call->din[0] && call->add[0];
    run(&rows, back_tile);
    lastaxis_close(&view, call->din[0], rows.to, call->add[0]);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 5 } } }, .n_in = 1, .low = -2, .high = 2 },
    { .in = { { 2, { 3, 37 } } }, .n_in = 1, .low = -3, .high = 3 },
    { .in = { { 3, { 2, 5, 3 } } }, .n_in = 1, .args = "axis=1", .low = -1, .high = 1 },
};

const Op op_sparsemax = {
    .name = "sparsemax",
    .doc = "sparsemax(x, axis = -1) -> y: the nearest point to x whose numbers are not negative and sum to 1: like softmax, but small\n"
           "scores give exactly 0.  Shapes: any -> same.  Source: Martins and Astudillo 2016.",
    .example = "local y = op.sparsemax({{2, 0, 0}}); assert(y[1][1] == 1 and y[1][2] == 0)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = lastaxis_args,
    .n_args = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
