// SPDX-License-Identifier: MIT
/* y = x s with s = min(1 / |x|, 1 / epsilon);  dx = s (dy - y (y . dy)), and s dy where epsilon sets the bound. */
#include <math.h>

#include "autograd/lastaxis.h"
#include "base/pool.h"
#include "tensor/kern.h"

static const ArgSpec args[] = {
    { .name = "axis", .type = ARG_INT, .fallback = "-1", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1, .help = "along which axis; 0 is the batch, -1 the last" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "1e-12", .least = 0, .most = 1e30, .help = "the smallest length that is divided by" },
};

typedef struct Rows {
    real *to;
    const real *x, *dy; /* dy NULL: forward */
    int64_t N, C;
    double epsilon;
    size_t n_tiles;
    bool add;
} Rows;

KERN_CLONES static double dot_row(const real *a, const real *b, int64_t C)
{
    real part[16] = { 0 };
    int64_t c = 0;
    double total = 0;
    for (; c + 16 <= C; c += 16)
        for (int l = 0; l < 16; l++)
            part[l] += a[c + l] * b[c + l];
    for (; c < C; c++)
        part[c % 16] += a[c] * b[c];
    for (int l = 0; l < 16; l++)
        total += (double)part[l];
    return total;
}

static void back_row(const Rows *rows, real *dx, const real *x, const real *dy, double s, bool bounded)
{
    real project = bounded ? 0 : (real)(dot_row(x, dy, rows->C) * s * s), scale = (real)s;
    for (int64_t c = 0; c < rows->C; c++)
        dx[c] = (rows->add ? dx[c] : 0) + scale * (dy[c] - x[c] * project);
}

static void tile(void *ctx, size_t number, int worker)
{
    (void)worker;
    const Rows *rows = ctx;
    int64_t C = rows->C, end = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, number + 1);
    for (int64_t r = (int64_t)pool_first((size_t)rows->N, rows->n_tiles, number); r < end; r++) {
        const real *x = rows->x + r * C;
        double length = sqrt(dot_row(x, x, C)), s = 1 / (length < rows->epsilon ? rows->epsilon : length);
        real *to = rows->to + r * C;
        if (rows->dy)
            back_row(rows, to, x, rows->dy + r * C, s, length < rows->epsilon);
        else
            for (int64_t c = 0; c < C; c++)
                to[c] = x[c] * (real)s;
    }
}

static void run(Rows *rows, const LastAxis *view, const OpCall *call)
{
    rows->N = view->N, rows->C = view->C;
    rows->epsilon = call->args->v[1].u.f;
    rows->n_tiles = pool_tiles((size_t)rows->N, 4.0 * (double)rows->C);
    pool_run(rows->N * rows->C > 0 ? rows->n_tiles : 0, tile, rows);
}

static void forward(OpCall *call)
{
    LastAxis view;
    Rows rows = { .x = lastaxis_open(&view, call, tensor_real(&call->in[0]), 0) };
    rows.to = lastaxis_out(&view, tensor_real(&call->out), 1);
    run(&rows, &view, call);
    lastaxis_close(&view, tensor_real(&call->out), rows.to, false);
}

static void backward(OpCall *call)
{
    if (!call->din[0])
        return;
    LastAxis view;
    Rows rows = { .x = lastaxis_open(&view, call, tensor_real(&call->in[0]), 0) };
    rows.dy = lastaxis_in(&view, call->dout, 1);
    rows.to = lastaxis_out(&view, call->din[0], 2);
    rows.add = rows.to == call->din[0] && call->add[0];
    run(&rows, &view, call);
    lastaxis_close(&view, call->din[0], rows.to, call->add[0]);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 5, 7 } } }, .n_in = 1 },
    { .in = { { 2, { 3, 37 } } }, .n_in = 1 },
    { .in = { { 3, { 2, 5, 3 } } }, .n_in = 1, .args = "axis=1" },
    { .in = { { 2, { 2, 3 } } }, .n_in = 1, .args = "epsilon=100" },
};

const Op op_l2_normalize = {
    .name = "l2_normalize",
    .doc = "l2_normalize(x, axis = -1, epsilon = 1e-12) -> y: x divided by its length (the root of the sum of squares) along the axis.\n"
           "Shapes: any -> same.",
    .example = "local y = op.l2_normalize({{3, 4}}); assert(math.abs(y[1][1] - 0.6) < 1e-6 and math.abs(y[1][2] - 0.8) < 1e-6)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = lastaxis_infer,
    .forward = forward,
    .backward = backward,
};
