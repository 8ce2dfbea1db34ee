// SPDX-License-Identifier: MIT
/* As softmax_cross_entropy with a distribution t_n for each row instead of one label: loss_n = sum_c t (lse - x), gradient
 * (softmax(x_n) sum(t_n) - t_n) * weight / N. */
#include "autograd/op.h"
#include "tensor/kern.h"
#include "tensor/kern_softmax.h"

/* saved: softmax [N, C], lse [N], loss [N] */
static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape, *t = &call->in[1].shape;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    if (x->rank < 1 || shape_count(x) < 1)
        return op_refuse(call, err, "logits need rows of classes, got shape %s", shape_text(x, a));
    if (!shape_same(x, t))
        return op_refuse(call, err, "logits %s want targets of the same shape, got %s; class numbers go to softmax_cross_entropy", shape_text(x, a),
                         shape_text(t, b));
    int64_t C = x->d[x->rank - 1], N = shape_count(x) / C;
    if (call->has[2] && shape_count(&call->in[2].shape) != N)
        return op_refuse(call, err, "%lld rows want as many weights, got shape %s", (long long)N, shape_text(&call->in[2].shape, b));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape.rank = 0;
    call->saved_size = (size_t)(N * C + 2 * N) * sizeof(real);
    call->scratch_size = call->wants_grad || call->training ? 0 : call->saved_size; /* nothing is saved then */
    return true;
}

static void forward(OpCall *call)
{
    int64_t C = call->in[0].shape.d[call->in[0].shape.rank - 1], N = shape_count(&call->in[0].shape) / C;
    const real *x = tensor_real(&call->in[0]), *t = tensor_real(&call->in[1]), *weight = call->has[2] ? tensor_real(&call->in[2]) : NULL;
    real *p = call->saved ? call->saved : call->scratch, *lse = p + N * C, *loss = lse + N;
    kern_softmax(p, lse, x, N, C);
    for (int64_t n = 0; n < N; n++) {
        real sum = 0;
        for (int64_t c = 0; c < C; c++)
            sum += t[n * C + c] * (lse[n] - x[n * C + c]);
        loss[n] = sum * (weight ? weight[n] : 1);
    }
    *tensor_real(&call->out) = (real)(kern_sum(loss, N) / (double)N);
}

static void backward(OpCall *call)
{
    int64_t C = call->in[0].shape.d[call->in[0].shape.rank - 1], N = shape_count(&call->in[0].shape) / C;
    const real *x = tensor_real(&call->in[0]), *t = tensor_real(&call->in[1]), *weight = call->has[2] ? tensor_real(&call->in[2]) : NULL;
    const real *p = call->saved, *lse = p + N * C;
    real scale = call->dout[0] / (real)N;
    for (int64_t n = 0; n < N; n++) {
        real w = scale * (weight ? weight[n] : 1), mass = 0, loss = 0;
        for (int64_t c = 0; c < C; c++) {
            mass += t[n * C + c];
            loss += t[n * C + c] * (lse[n] - x[n * C + c]);
        }
        for (int64_t c = 0, i = n * C; c < C; c++, i++) {
            if (call->din[0])
                call->din[0][i] = (call->add[0] ? call->din[0][i] : 0) + w * (p[i] * mass - t[i]);
            if (call->din[1])
                call->din[1][i] = (call->add[1] ? call->din[1][i] : 0) + w * (lse[n] - x[i]);
        }
        if (call->has[2] && call->din[2])
            call->din[2][n] = (call->add[2] ? call->din[2][n] : 0) + scale * loss;
    }
}

static const char *const in_names[] = { "logits", "targets", "weight" };
static const OpCase cases[] = {
    { .in = { { 2, { 6, 5 } }, { 2, { 6, 5 } } }, .n_in = 2, .low = 0.05, .high = 1 },
    { .in = { { 3, { 2, 3, 4 } }, { 3, { 2, 3, 4 } }, { 2, { 2, 3 } } }, .n_in = 3, .low = 0.05, .high = 1 },
};

const Op op_softmax_cross_entropy_dense = {
    .name = "softmax_cross_entropy_dense",
    .doc = "softmax_cross_entropy_dense(logits, targets, weight = nil) -> loss: mean over rows of -sum(targets * log softmax(logits)).\n"
           "Shapes: logits and targets [.., C], weight [..] -> ().  Keras: categorical_crossentropy.",
    .example = "local l = op.softmax_cross_entropy_dense({{0, 0}}, {{1, 0}}); assert(math.abs(l:item() - math.log(2)) < 1e-6)",
    .in_least = 2,
    .in_most = 3,
    .in_names = in_names,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
