// SPDX-License-Identifier: MIT
/* Loss of row n: lse(x_n) - x_n[label]; the result is the sum of weight * loss over the number of rows, as Keras reduces
 * ("sum_over_batch_size"). Its gradient: (softmax(x_n) - one_hot) * weight / N. A label outside 0 … C-1 gives NaN and reads
 * nothing; data are checked before they get here. */
#include <math.h>
#include <string.h>

#include "autograd/op.h"
#include "tensor/kern.h"
#include "tensor/kern_softmax.h"

/* saved: softmax [N, C], lse [N], loss [N] */
static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape, *labels = &call->in[1].shape;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    if (x->rank < 1)
        return op_refuse(call, err, "logits need a last axis of classes, got shape %s", shape_text(x, a));
    int64_t C = x->d[x->rank - 1], N = C ? shape_count(x) / C : 0;
    if (C < 1 || N < 1)
        return op_refuse(call, err, "logits are empty: %s", shape_text(x, a));
    if (shape_count(labels) != N)
        return op_refuse(call, err, "logits %s want one label a row (%lld), got labels of shape %s", shape_text(x, a), (long long)N,
                         shape_text(labels, b));
    if (call->has[2] && shape_count(&call->in[2].shape) != N)
        return op_refuse(call, err, "%lld rows want as many weights, got shape %s", (long long)N, shape_text(&call->in[2].shape, b));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape.rank = 0;
    call->saved_size = (size_t)(N * C + 2 * N) * sizeof(real);
    call->scratch_size = call->wants_grad || call->training ? 0 : call->saved_size; /* nothing is saved then */
    return true;
}

static void sizes(const OpCall *call, int64_t *N, int64_t *C)
{
    const Shape *x = &call->in[0].shape;
    *C = x->d[x->rank - 1];
    *N = shape_count(x) / *C;
}

static void forward(OpCall *call)
{
    int64_t N, C;
    sizes(call, &N, &C);
    const real *x = tensor_real(&call->in[0]), *weight = call->has[2] ? tensor_real(&call->in[2]) : NULL;
    const int32_t *labels = tensor_int(&call->in[1]);
    real *p = call->saved ? call->saved : call->scratch, *lse = p + N * C, *loss = lse + N;
    kern_softmax(p, lse, x, N, C);
    for (int64_t n = 0; n < N; n++) {
        int32_t label = labels[n];
        loss[n] = label < 0 || label >= C ? (real)NAN : (lse[n] - x[n * C + label]) * (weight ? weight[n] : 1);
    }
    *tensor_real(&call->out) = (real)(kern_sum(loss, N) / (double)N);
}

static void backward(OpCall *call)
{
    int64_t N, C;
    sizes(call, &N, &C);
    const real *p = call->saved, *weight = call->has[2] ? tensor_real(&call->in[2]) : NULL;
    const int32_t *labels = tensor_int(&call->in[1]);
    real *dx = call->din[0], scale = call->dout[0] / (real)N;
    for (int64_t n = 0; n < N && dx; n++) {
        real w = scale * (weight ? weight[n] : 1);
        real *row = dx + n * C;
        const real *chance = p + n * C;
        if (!call->add[0])
            memset(row, 0, (size_t)C * sizeof(real));
        for (int64_t c = 0; c < C; c++)
            row[c] += w * chance[c];
        if (labels[n] >= 0 && labels[n] < C)
            row[labels[n]] -= w;
    }
    real *dw = call->has[2] ? call->din[2] : NULL;
    for (int64_t n = 0; n < N && dw; n++) {
        real loss = (p + N * C)[n] - tensor_real(&call->in[0])[n * C + labels[n]];
        dw[n] = (call->add[2] ? dw[n] : 0) + scale * loss;
    }
}

static const char *const in_names[] = { "logits", "labels", "weight" };
static const OpCase cases[] = {
    { .in = { { 2, { 6, 5 } }, { 1, { 6 } } }, .n_in = 2, .classes = 5, .low = -2, .high = 2 },
    { .in = { { 3, { 2, 3, 19 } }, { 2, { 2, 3 } } }, .n_in = 2, .classes = 19, .low = -2, .high = 2 },
    { .in = { { 2, { 4, 3 } }, { 1, { 4 } }, { 1, { 4 } } }, .n_in = 3, .classes = 3, .low = 0.2, .high = 2 },
};

const Op op_softmax_cross_entropy = {
    .name = "softmax_cross_entropy",
    .doc = "softmax_cross_entropy(logits, labels, weight = nil) -> loss: mean of -log softmax(logits)[label] over all rows.\n"
           "Shapes: logits [.., C], labels int32 [..] counting from 0, weight [..] -> ().  Keras: sparse_categorical_crossentropy.",
    .example = "local l = op.softmax_cross_entropy({{0, 0}}, tensor({0}, \"int32\")); assert(math.abs(l:item() - math.log(2)) < 1e-6)",
    .in_least = 2,
    .in_most = 3,
    .in_names = in_names,
    .integer_in = 1u << 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
