// SPDX-License-Identifier: MIT
/* Features i and i + D/2 of a step are turned as one plane by the angle position * wavelength^(-2i/D); backward turns back. The
 * sines stand in scratch, [T, D/2] twice. Source: Su et al. 2021, in the arrangement of halves that KerasHub and Llama use. */
#include <math.h>

#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern.h"

enum { WAVELENGTH, SCALING, START };

static const ArgSpec args[] = {
    { .name = "max_wavelength", .type = ARG_FLOAT, .fallback = "10000", .least = 1, .most = 1e12, .help = "of the slowest feature" },
    { .name = "scaling_factor", .type = ARG_FLOAT, .fallback = "1.0", .least = 1e-6, .most = 1e6, .help = "positions are divided by this" },
    { .name = "start_index", .type = ARG_INT, .fallback = "0", .least = 0, .most = 1 << 30, .help = "position of the first step" },
};

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape;
    char text[SHAPE_TEXT];
    if (x->rank < 3 || x->d[x->rank - 1] % 2)
        return op_refuse(call, err, "x must have shape (batch, time, .., features) with an even number of features, got %s", shape_text(x, text));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = *x;
    call->scratch_size = (size_t)(x->d[1] * x->d[x->rank - 1]) * sizeof(real);
    return true;
}

typedef struct Turn {
    const real *x, *cosine, *sine;
    real *y, way; /* way -1: back */
    int64_t T, inner, half; /* inner: rows of one step (heads) */
    size_t n_rows, n_tiles;
    bool add;
} Turn;

KERN_CLONES static void turn_row(const Turn *w, real *restrict y, const real *restrict x, const real *restrict c, const real *restrict s)
{
    int64_t half = w->half;
    for (int64_t i = 0; i < half; i++) {
        real a = x[i] * c[i] - w->way * x[i + half] * s[i], b = x[i + half] * c[i] + w->way * x[i] * s[i];
        y[i] = (w->add ? y[i] : 0) + a;
        y[i + half] = (w->add ? y[i + half] : 0) + b;
    }
}

static void tile(void *ctx, size_t index, int worker)
{
    const Turn *w = ctx;
    (void)worker;
    for (int64_t r = (int64_t)pool_first(w->n_rows, w->n_tiles, index); r < (int64_t)pool_first(w->n_rows, w->n_tiles, index + 1); r++) {
        int64_t at = r / w->inner % w->T * w->half;
        turn_row(w, w->y + r * 2 * w->half, w->x + r * 2 * w->half, w->cosine + at, w->sine + at);
    }
}

static void turn(OpCall *call, real *y, const real *x, real way, bool add)
{
    const Shape *shape = &call->in[0].shape;
    const ArgValue *v = call->args->v;
    Turn w = { .x = x, .y = y, .way = way, .add = add, .T = shape->d[1], .half = shape->d[shape->rank - 1] / 2 };
    real *cosine = call->scratch, *sine = cosine + w.T * w.half;
    for (int64_t t = 0; t < w.T; t++)
        for (int64_t i = 0; i < w.half; i++) {
            double angle = (double)(t + v[START].u.i) / v[SCALING].u.f * pow(v[WAVELENGTH].u.f, -(double)i / (double)w.half);
            cosine[t * w.half + i] = (real)cos(angle);
            sine[t * w.half + i] = (real)sin(angle);
        }
    w.cosine = cosine;
    w.sine = sine;
    w.inner = shape_count_from(shape, 2) / (2 * w.half);
    w.n_rows = (size_t)(shape->d[0] * w.T * w.inner);
    w.n_tiles = pool_tiles(w.n_rows, 6.0 * (double)w.half);
    pool_run(w.n_tiles, tile, &w);
}

static void forward(OpCall *call)
{
    turn(call, tensor_real(&call->out), tensor_real(&call->in[0]), 1, false);
}

static void backward(OpCall *call)
{
    if (call->din[0])
        turn(call, call->din[0], call->dout, -1, call->add[0]);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 3, { 2, 5, 4 } } }, .n_in = 1 },
    { .in = { { 4, { 2, 3, 2, 6 } } }, .n_in = 1, .args = "max_wavelength=100 scaling_factor=2 start_index=3" },
};

const Op op_rotary = {
    .name = "rotary",
    .doc = "rotary(x, {max_wavelength = 10000, scaling_factor = 1, start_index = 0}) -> y: pairs of features turned by their step.\n"
           "Shapes: x [B, T, .., D], D even -> the same.  Source: Su et al. 2021.",
    .example = "local y = op.rotary(tensor.ones(1, 2, 2)); assert(y[1][1][1] == 1 and math.abs(y[1][2][1] - (math.cos(1) - math.sin(1))) < 1e-6)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
