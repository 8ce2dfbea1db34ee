// SPDX-License-Identifier: MIT
/* x [.., I], kernel [I, U], bias [U] -> y = act(x kernel + bias) [.., U]. The axes of x before the last are M rows of one product.
 * Bias and activation follow on tiles of rows; backward reads the activation's slope from y, so nothing is kept. */
#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern_act.h"

enum { X, KERNEL, BIAS };

static const ArgSpec args[] = {
    { .name = "activation", .type = ARG_CHOICE, .fallback = "linear", .choices = kern_act_names, .help = "applied to the result" },
};

typedef struct Sizes {
    int64_t M, I, U;
    KernAct act;
} Sizes;

static Sizes sizes_of(const OpCall *call)
{
    const Shape *x = &call->in[X].shape, *kernel = &call->in[KERNEL].shape;
    Sizes s = { .M = 1, .I = kernel->d[0], .U = kernel->d[1], .act = (KernAct)call->args->v[0].u.i };
    for (int i = 0; i < x->rank - 1; i++)
        s.M *= x->d[i] < 0 ? 1 : x->d[i];
    return s;
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[X].shape, *kernel = &call->in[KERNEL].shape, *bias = &call->in[BIAS].shape;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    if (kernel->rank != 2 || x->rank < 1 || x->d[x->rank - 1] != kernel->d[0])
        return op_refuse(call, err, "x of shape %s and a kernel of shape %s do not fit: the last axis of x must be the first of the kernel",
                         shape_text(x, a), shape_text(kernel, b));
    if (call->has[BIAS] && (bias->rank != 1 || bias->d[0] != kernel->d[1]))
        return op_refuse(call, err, "the bias must have shape (%lld), got %s", (long long)kernel->d[1], shape_text(bias, b));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = *x;
    call->out.shape.d[x->rank - 1] = kernel->d[1];
    Sizes s = sizes_of(call);
    if (s.act != KERN_ACT_LINEAR && call->wants_grad)
        call->scratch_size = (size_t)(s.M * s.U) * sizeof(real);
    return true;
}

/* ---- loops over tiles of rows, or of columns ---- */

typedef struct Work {
    Sizes s;
    size_t n_tiles;
    real *out;
    const real *a, *b;
    bool add;
} Work;

static void act_tile(void *ctx, size_t tile, int worker)
{
    const Work *w = ctx;
    int64_t first = (int64_t)pool_first((size_t)w->s.M, w->n_tiles, tile), end = (int64_t)pool_first((size_t)w->s.M, w->n_tiles, tile + 1);
    (void)worker;
    kern_act_rows(w->s.act, w->out + first * w->s.U, w->a, end - first, w->s.U);
}

static void slope_tile(void *ctx, size_t tile, int worker)
{
    const Work *w = ctx;
    int64_t first = (int64_t)pool_first((size_t)w->s.M, w->n_tiles, tile), end = (int64_t)pool_first((size_t)w->s.M, w->n_tiles, tile + 1);
    (void)worker;
    kern_act_back(w->s.act, w->out + first * w->s.U, w->a + first * w->s.U, w->b + first * w->s.U, (end - first) * w->s.U);
}

/* out [first … end-1] (+)= sums of the columns of a [M, U]. */
KERN_CLONES static void sum_columns(real *out, const real *a, int64_t M, int64_t U, int64_t first, int64_t end, bool add)
{
    for (int64_t u = first; u < end && !add; u++)
        out[u] = 0;
    for (int64_t m = 0; m < M; m++)
        for (int64_t u = first; u < end; u++)
            out[u] += a[m * U + u];
}

static void columns_tile(void *ctx, size_t tile, int worker)
{
    const Work *w = ctx;
    (void)worker;
    sum_columns(w->out, w->a, w->s.M, w->s.U, (int64_t)pool_first((size_t)w->s.U, w->n_tiles, tile),
                (int64_t)pool_first((size_t)w->s.U, w->n_tiles, tile + 1), w->add);
}

static void forward(OpCall *call)
{
    Sizes s = sizes_of(call);
    real *y = tensor_real(&call->out);
    const real *bias = call->has[BIAS] ? tensor_real(&call->in[BIAS]) : NULL;
    kern_gemm(false, false, s.M, s.U, s.I, 1, tensor_real(&call->in[X]), s.I, tensor_real(&call->in[KERNEL]), s.U, 0, y, s.U);
    if (!bias && s.act == KERN_ACT_LINEAR)
        return;
    Work work = { .s = s, .out = y, .a = bias, .n_tiles = pool_tiles((size_t)s.M, (s.act > KERN_ACT_RELU ? 12.0 : 2.0) * (double)s.U) };
    pool_run(work.n_tiles, act_tile, &work);
}

static void backward(OpCall *call)
{
    Sizes s = sizes_of(call);
    const real *x = tensor_real(&call->in[X]), *kernel = tensor_real(&call->in[KERNEL]), *dz = call->dout;
    if (s.act != KERN_ACT_LINEAR) {
        Work work = { .s = s, .out = call->scratch, .a = call->dout, .b = tensor_real(&call->out), .n_tiles = pool_tiles((size_t)s.M, 3.0 * (double)s.U) };
        pool_run(work.n_tiles, slope_tile, &work);
        dz = call->scratch;
    }
    if (call->din[KERNEL])
        kern_gemm(true, false, s.I, s.U, s.M, 1, x, s.I, dz, s.U, call->add[KERNEL] ? 1 : 0, call->din[KERNEL], s.U);
    if (call->has[BIAS] && call->din[BIAS]) {
        Work work = { .s = s, .out = call->din[BIAS], .a = dz, .add = call->add[BIAS], .n_tiles = pool_tiles((size_t)(s.U / 16), 16.0 * (double)s.M) };
        pool_run(work.n_tiles, columns_tile, &work);
    }
    if (call->din[X])
        kern_gemm(false, true, s.M, s.I, s.U, 1, dz, s.U, kernel, s.U, call->add[X] ? 1 : 0, call->din[X], s.I);
}

static double flops(const OpCall *call)
{
    Sizes s = sizes_of(call);
    return (double)s.M * (double)s.I * (double)s.U;
}

static const char *const in_names[] = { "x", "kernel", "bias" };
static const OpCase cases[] = {
    { .in = { { 2, { 4, 5 } }, { 2, { 5, 3 } }, { 1, { 3 } } }, .n_in = 3 },
    { .in = { { 3, { 2, 3, 5 } }, { 2, { 5, 7 } } }, .n_in = 2, .args = "activation=tanh" },
    { .in = { { 2, { 6, 4 } }, { 2, { 4, 19 } }, { 1, { 19 } } }, .n_in = 3, .args = "activation=sigmoid" },
    { .in = { { 1, { 5 } }, { 2, { 5, 2 } }, { 1, { 2 } } }, .n_in = 3, .args = "activation=relu", .low = 0.1, .high = 1 },
};

const Op op_linear = {
    .name = "linear",
    .doc = "linear(x, kernel, bias = nil, {activation = \"linear\"}) -> y: act(x kernel + bias), the work of a Dense layer.\n"
           "Shapes: x [.., I], kernel [I, U], bias [U] -> y [.., U].",
    .example = "local y = op.linear({{1, 2}}, {{1}, {10}}, {5}); assert(y[1][1] == 26)",
    .in_least = 2,
    .in_most = 3,
    .in_names = in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};
