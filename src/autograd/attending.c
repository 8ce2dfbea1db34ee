// SPDX-License-Identifier: MIT
#include "autograd/attending.h"

#include <math.h>

static bool check_mask(OpCall *call, int mask, Err *err)
{
    const Shape *q = &call->in[0].shape, *m = &call->in[mask].shape;
    char text[SHAPE_TEXT];
    int64_t B = q->d[0], T = q->d[1], H = q->d[2], S = call->in[1].shape.d[1];
    bool fits = m->rank >= 2 && m->rank <= 4 && m->d[m->rank - 1] == S && (m->d[0] == B || m->d[0] == 1);
    if (m->rank > 2)
        fits = fits && (m->d[m->rank - 2] == T || m->d[m->rank - 2] == 1);
    if (m->rank == 4)
        fits = fits && (m->d[1] == H || m->d[1] == 1);
    return fits || op_refuse(call, err, "the mask must have shape (%lld, %lld) for keys or (%lld, %lld, %lld) for queries and keys, got %s",
                             (long long)B, (long long)S, (long long)B, (long long)T, (long long)S, shape_text(m, text));
}

bool attending_check(OpCall *call, int v, int mask, Err *err)
{
    const Shape *q = &call->in[0].shape, *k = &call->in[1].shape;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    if (q->rank != 4 || k->rank != 4 || q->d[0] != k->d[0] || q->d[2] != k->d[2] || q->d[3] != k->d[3])
        return op_refuse(call, err, "queries of shape (batch, time, heads, size) and keys alike but for their time are wanted, got %s and %s",
                         shape_text(q, a), shape_text(k, b));
    if (v >= 0) {
        const Shape *values = &call->in[v].shape;
        if (values->rank != 4 || values->d[0] != k->d[0] || values->d[1] != k->d[1] || values->d[2] != k->d[2])
            return op_refuse(call, err, "each key wants a value: keys have shape %s, values %s", shape_text(k, b), shape_text(values, a));
    }
    return !call->has[mask] || check_mask(call, mask, err);
}

Attend attending_plan(const OpCall *call, int v, int mask, bool causal, const ArgValue *scale, double rate)
{
    const Shape *q = &call->in[0].shape, *k = &call->in[1].shape;
    Attend a = { .B = q->d[0], .T = q->d[1], .H = q->d[2], .D = q->d[3], .S = k->d[1], .V = v >= 0 ? call->in[v].shape.d[3] : 0 };
    a.q = tensor_real(&call->in[0]);
    a.k = tensor_real(&call->in[1]);
    a.v = v >= 0 ? tensor_real(&call->in[v]) : NULL;
    a.causal = causal;
    a.scale = scale->given ? (real)scale->u.f : (real)(1 / sqrt((double)a.D));
    a.rate = call->training ? rate : 0;
    a.seed = call->seed;
    a.step = call->step;
    if (!call->has[mask])
        return a;
    const Shape *m = &call->in[mask].shape;
    int64_t rows = m->rank > 2 ? m->d[m->rank - 2] : 1, heads = m->rank == 4 ? m->d[1] : 1;
    a.mask = tensor_real(&call->in[mask]);
    a.mask_t = rows > 1 ? a.S : 0;
    a.mask_h = heads > 1 ? rows * a.S : 0;
    a.mask_b = m->d[0] > 1 ? heads * rows * a.S : 0;
    return a;
}
