// SPDX-License-Identifier: MIT
/* Loss of an element: max(x, 0) - x t + log(1 + exp(-|x|)), which neither overflows nor loses small values; the result is the
 * mean over all elements, each sample's part times its weight (Keras's binary_crossentropy: mean over the last axis, then over
 * the batch). Its gradient: (sigmoid(x) - t) * weight / count. */
#include <math.h>

#include "autograd/op.h"
#include "tensor/kern.h"
#include "tensor/kern_fun.h"

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape, *t = &call->in[1].shape;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    if (shape_count(x) < 1)
        return op_refuse(call, err, "logits are empty: %s", shape_text(x, a));
    if (!shape_same(x, t))
        return op_refuse(call, err, "logits %s want targets of the same shape, got %s", shape_text(x, a), shape_text(t, b));
    int64_t B = x->rank ? x->d[0] : 1;
    if (call->has[2] && shape_count(&call->in[2].shape) != B)
        return op_refuse(call, err, "a batch of %lld wants as many weights, got shape %s", (long long)B, shape_text(&call->in[2].shape, b));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape.rank = 0;
    call->scratch_size = (size_t)shape_count(x) * sizeof(real);
    return true;
}

KERN_CLONES static void losses(real *loss, const real *x, const real *t, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        real a = x[i] < 0 ? -x[i] : x[i];
        loss[i] = (x[i] > 0 ? x[i] : 0) - x[i] * t[i] + fun_log(1 + fun_exp(-a));
    }
}

static void forward(OpCall *call)
{
    int64_t n = shape_count(&call->in[0].shape), B = call->in[0].shape.rank ? call->in[0].shape.d[0] : 1, each = n / B;
    real *loss = call->scratch;
    losses(loss, tensor_real(&call->in[0]), tensor_real(&call->in[1]), n);
    if (call->has[2])
        for (int64_t b = 0; b < B; b++)
            kern_scale(loss + b * each, tensor_real(&call->in[2])[b], each);
    *tensor_real(&call->out) = (real)(kern_sum(loss, n) / (double)n);
}

KERN_CLONES static void gradients(real *dx, const real *x, const real *t, real scale, int64_t n, bool add)
{
    for (int64_t i = 0; i < n; i++)
        dx[i] = (add ? dx[i] : 0) + scale * (fun_sigmoid(x[i]) - t[i]);
}

static void backward(OpCall *call)
{
    int64_t n = shape_count(&call->in[0].shape), B = call->in[0].shape.rank ? call->in[0].shape.d[0] : 1;
    const real *x = tensor_real(&call->in[0]), *t = tensor_real(&call->in[1]), *weight = call->has[2] ? tensor_real(&call->in[2]) : NULL;
    int64_t parts = weight ? B : 1, each = n / parts; /* one loop for all where all weigh the same */
    real scale = call->dout[0] / (real)n;
    for (int64_t b = 0, at = 0; b < parts; b++, at += each) {
        real w = scale * (weight ? weight[b] : 1);
        if (call->din[0])
            gradients(call->din[0] + at, x + at, t + at, w, each, call->add[0]);
        for (int64_t i = at; i < at + each && call->din[1]; i++)
            call->din[1][i] = (call->add[1] ? call->din[1][i] : 0) - w * x[i];
    }
    for (int64_t b = 0; weight && call->din[2] && b < B; b++) {
        losses(call->scratch, x + b * each, t + b * each, each);
        call->din[2][b] = (call->add[2] ? call->din[2][b] : 0) + scale * (real)kern_sum(call->scratch, each);
    }
}

static const char *const in_names[] = { "logits", "targets", "weight" };
static const OpCase cases[] = {
    { .in = { { 2, { 6, 3 } }, { 2, { 6, 3 } } }, .n_in = 2, .low = 0.05, .high = 0.95 },
    { .in = { { 2, { 5, 1 } }, { 2, { 5, 1 } }, { 1, { 5 } } }, .n_in = 3, .low = 0.05, .high = 0.95 },
    { .in = { { 1, { 37 } }, { 1, { 37 } } }, .n_in = 2, .low = 0.05, .high = 0.95 },
};

const Op op_sigmoid_cross_entropy = {
    .name = "sigmoid_cross_entropy",
    .doc = "sigmoid_cross_entropy(logits, targets, weight = nil) -> loss: mean of -t log s - (1 - t) log(1 - s), s = sigmoid(logits).\n"
           "Shapes: logits and targets [B, ..], weight [B] -> ().  Keras: binary_crossentropy.",
    .example = "local l = op.sigmoid_cross_entropy({0}, {1}); assert(math.abs(l:item() - math.log(2)) < 1e-6)",
    .in_least = 2,
    .in_most = 3,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
