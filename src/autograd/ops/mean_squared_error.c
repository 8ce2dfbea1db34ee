// SPDX-License-Identifier: MIT
#include "autograd/op.h"
#include "tensor/kern.h"

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape, *t = &call->in[1].shape;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    if (shape_count(x) < 1)
        return op_refuse(call, err, "predictions are empty: %s", shape_text(x, a));
    if (!shape_same(x, t))
        return op_refuse(call, err, "predictions %s want targets of the same shape, got %s", shape_text(x, a), shape_text(t, b));
    int64_t B = x->rank ? x->d[0] : 1;
    if (call->has[2] && shape_count(&call->in[2].shape) != B)
        return op_refuse(call, err, "a batch of %lld wants as many weights, got shape %s", (long long)B, shape_text(&call->in[2].shape, b));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape.rank = 0;
    call->scratch_size = (size_t)shape_count(x) * sizeof(real);
    return true;
}

KERN_CLONES static void difference(real *y, const real *x, const real *t, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] - t[i];
}

static void forward(OpCall *call)
{
    int64_t n = shape_count(&call->in[0].shape), B = call->in[0].shape.rank ? call->in[0].shape.d[0] : 1, each = n / B;
    real *d = call->scratch;
    double sum = 0;
    difference(d, tensor_real(&call->in[0]), tensor_real(&call->in[1]), n);
    if (call->has[2])
        for (int64_t b = 0; b < B; b++)
            sum += (double)tensor_real(&call->in[2])[b] * kern_sum_squares(d + b * each, each);
    else
        sum = kern_sum_squares(d, n);
    *tensor_real(&call->out) = (real)(sum / (double)n);
}

static void backward(OpCall *call)
{
    int64_t n = shape_count(&call->in[0].shape), B = call->in[0].shape.rank ? call->in[0].shape.d[0] : 1, each = n / B;
    real *d = call->scratch, scale = 2 * call->dout[0] / (real)n;
    difference(d, tensor_real(&call->in[0]), tensor_real(&call->in[1]), n);
    if (call->has[2] && call->din[2])
        for (int64_t b = 0; b < B; b++)
            call->din[2][b] = (call->add[2] ? call->din[2][b] : 0) + scale / 2 * (real)kern_sum_squares(d + b * each, each);
    if (call->has[2])
        for (int64_t b = 0; b < B; b++)
            kern_scale(d + b * each, tensor_real(&call->in[2])[b], each);
    kern_scale(d, scale, n);
    if (call->din[0])
        op_give(call->din[0], d, n, call->add[0]);
    if (call->din[1]) {
        kern_scale(d, -1, n);
        op_give(call->din[1], d, n, call->add[1]);
    }
}

static const char *const in_names[] = { "prediction", "target", "weight" };
static const OpCase cases[] = {
    { .in = { { 2, { 6, 3 } }, { 2, { 6, 3 } } }, .n_in = 2 },
    { .in = { { 2, { 4, 5 } }, { 2, { 4, 5 } }, { 1, { 4 } } }, .n_in = 3, .low = 0.1, .high = 1 },
};

const Op op_mean_squared_error = {
    .name = "mean_squared_error",
    .doc = "mean_squared_error(prediction, target, weight = nil) -> loss: mean of (prediction - target)^2, samples times weight.\n"
           "Shapes: prediction and target [B, ..], weight [B] -> ().  Keras: mean_squared_error.",
    .example = "local l = op.mean_squared_error({1, 2}, {1, 4}); assert(l:item() == 2)",
    .in_least = 2,
    .in_most = 3,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
