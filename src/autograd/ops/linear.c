// SPDX-License-Identifier: MIT
/* x [.., I] times kernel [I, O] plus bias [O] -> y [.., O]: a dense layer in one op. All axes of x but the last count as one, B. The
 * rows of y start as the bias, and the product is added to them. */
#include <string.h>

#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern.h"
#include "tensor/reduce.h"

enum { X, KERNEL, BIAS };

typedef struct Sizes {
    int64_t B, I, O;
} Sizes;

static Sizes sizes_of(const OpCall *call)
{
    const Shape *x = &call->in[X].shape;
    Sizes s = { .B = 1, .I = x->d[x->rank - 1], .O = call->in[KERNEL].shape.d[1] };
    for (int i = 0; i < x->rank - 1; i++)
        s.B *= x->d[i];
    return s;
}

static void bias_plan(const Sizes *s, Reduce *plan)
{
    Shape shape = SHAPE(s->B, s->O);
    reduce_plan(plan, &shape, 1);
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[X].shape, *kernel = &call->in[KERNEL].shape, *bias = &call->in[BIAS].shape;
    char one[SHAPE_TEXT], two[SHAPE_TEXT];
    if (kernel->rank != 2)
        return op_refuse(call, err, "the kernel must have two axes (inputs, outputs), got shape %s", shape_text(kernel, one));
    if (x->rank < 1 || x->d[x->rank - 1] != kernel->d[0])
        return op_refuse(call, err, "x of shape %s does not fit the kernel %s: its last axis must be %lld", shape_text(x, one),
                         shape_text(kernel, two), (long long)kernel->d[0]);
    if (call->has[BIAS] && (bias->rank != 1 || bias->d[0] != kernel->d[1]))
        return op_refuse(call, err, "the bias must have shape (%lld), got %s", (long long)kernel->d[1], shape_text(bias, one));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = *x;
    call->out.shape.d[x->rank - 1] = kernel->d[1];
    if (call->has[BIAS] && call->wants_grad) {
        Sizes s = sizes_of(call);
        Reduce plan;
        bias_plan(&s, &plan);
        call->scratch_size = reduce_scratch(&plan);
    }
    return true;
}

typedef struct Rows {
    real *y;
    const real *bias;
    size_t B, O, n_tiles;
} Rows;

static void bias_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Rows *rows = ctx;
    size_t end = pool_first(rows->B, rows->n_tiles, tile + 1);
    for (size_t b = pool_first(rows->B, rows->n_tiles, tile); b < end; b++)
        memcpy(rows->y + b * rows->O, rows->bias, rows->O * sizeof(real));
}

static void forward(OpCall *call)
{
    Sizes s = sizes_of(call);
    real *y = tensor_real(&call->out);
    if (call->has[BIAS]) {
        Rows rows = { y, tensor_real(&call->in[BIAS]), (size_t)s.B, (size_t)s.O, pool_tiles((size_t)s.B, (double)s.O) };
        pool_run(rows.n_tiles, bias_tile, &rows);
    }
    kern_gemm(false, false, s.B, s.O, s.I, 1, tensor_real(&call->in[X]), s.I, tensor_real(&call->in[KERNEL]), s.O, call->has[BIAS] ? 1 : 0, y,
              s.O);
}

static void backward(OpCall *call)
{
    Sizes s = sizes_of(call);
    const real *x = tensor_real(&call->in[X]), *kernel = tensor_real(&call->in[KERNEL]), *dy = call->dout;
    if (call->din[X])
        kern_gemm(false, true, s.B, s.I, s.O, 1, dy, s.O, kernel, s.O, call->add[X] ? 1 : 0, call->din[X], s.I);
    if (call->din[KERNEL])
        kern_gemm(true, false, s.I, s.O, s.B, 1, x, s.I, dy, s.O, call->add[KERNEL] ? 1 : 0, call->din[KERNEL], s.O);
    if (call->has[BIAS] && call->din[BIAS]) {
        Reduce plan;
        bias_plan(&s, &plan);
        reduce_sum(call->din[BIAS], dy, &plan, 1, call->add[BIAS], call->scratch);
    }
}

static double flops(const OpCall *call)
{
    return (double)shape_count(&call->out.shape) * (double)call->in[KERNEL].shape.d[0];
}

static const char *const in_names[] = { "x", "kernel", "bias" };
static const OpCase cases[] = {
    { .in = { { 2, { 5, 4 } }, { 2, { 4, 3 } }, { 1, { 3 } } }, .n_in = 3 },
    { .in = { { 3, { 2, 3, 4 } }, { 2, { 4, 3 } } }, .n_in = 2 },
    { .in = { { 1, { 4 } }, { 2, { 4, 1 } }, { 1, { 1 } } }, .n_in = 3 },
};

const Op op_linear = {
    .name = "linear",
    .doc = "linear(x, kernel, bias = nil) -> y: x times kernel plus bias, the arithmetic of a dense layer.\n"
           "Shapes: x [.., I], kernel [I, O], bias [O] -> y [.., O].",
    .example = "local y = op.linear({{1, 2}}, {{3}, {4}}, {5}); assert(y[1][1] == 16)",
    .in_least = 2,
    .in_most = 3,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};
