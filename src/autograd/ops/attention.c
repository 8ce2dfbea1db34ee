// SPDX-License-Identifier: MIT
/* saved: the log of each row's sum of exponentials, [B, H, T]. scratch: blocks of scores, one for each worker. */
#include "autograd/attending.h"
#include "base/pool.h"

enum { Q, K, V, MASK };
enum { CAUSAL, SCALE, RATE };

static const ArgSpec args[] = {
    { .name = "causal", .type = ARG_BOOL, .fallback = "false", .help = "a query sees no key that comes after it" },
    { .name = "scale", .type = ARG_FLOAT, .fallback = "nil", .least = -1e9, .most = 1e9, .help = "factor of the scores; nil: 1 / sqrt(size of a key)" },
    { .name = "rate", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1, .open_most = true, .help = "share of weights dropped while training" },
};

static Attend plan(const OpCall *call)
{
    const ArgValue *v = call->args->v;
    return attending_plan(call, V, MASK, v[CAUSAL].u.b, &v[SCALE], v[RATE].u.f);
}

static bool infer(OpCall *call, Err *err)
{
    if (!attending_check(call, V, MASK, err))
        return false;
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = call->in[Q].shape;
    call->out.shape.d[3] = call->in[V].shape.d[3];
    Attend a = plan(call);
    call->saved_size = (size_t)(a.B * a.H * a.T) * sizeof(real);
    call->scratch_size = ((size_t)kern_attend_scratch(&a, true) * (size_t)pool_threads() + (size_t)(a.B * a.H * a.T)) * sizeof(real);
    return true;
}

static Attend ready(const OpCall *call)
{
    Attend a = plan(call);
    a.y = tensor_real(&call->out);
    a.lse = call->saved ? call->saved : call->scratch; /* nobody reads it again where there is no backward */
    a.scratch = (real *)call->scratch + a.B * a.H * a.T;
    return a;
}

static void forward(OpCall *call)
{
    Attend a = ready(call);
    kern_attend(&a);
}

static void backward(OpCall *call)
{
    Attend a = ready(call);
    a.dy = call->dout;
    a.dq = call->din[Q];
    a.dk = call->din[K];
    a.dv = call->din[V];
    a.add_q = call->add[Q];
    a.add_k = call->add[K];
    a.add_v = call->add[V];
    kern_attend_back(&a);
    op_give_none(call, MASK);
}

static double flops(const OpCall *call)
{
    Attend a = plan(call);
    return (double)(a.B * a.H * a.T) * (double)a.S * (double)(a.D + a.V);
}

static const char *const in_names[] = { "query", "key", "value", "mask" };
static const OpCase cases[] = {
    { .in = { { 4, { 2, 5, 2, 3 } }, { 4, { 2, 7, 2, 3 } }, { 4, { 2, 7, 2, 4 } } }, .n_in = 3 },
    { .in = { { 4, { 2, 6, 2, 3 } }, { 4, { 2, 6, 2, 3 } }, { 4, { 2, 6, 2, 3 } } }, .n_in = 3, .args = "causal=true scale=0.7" },
    { .in = { { 4, { 3, 4, 2, 3 } }, { 4, { 3, 5, 2, 3 } }, { 4, { 3, 5, 2, 2 } }, { 2, { 3, 5 } } }, .n_in = 4 },
    { .in = { { 4, { 2, 5, 2, 3 } }, { 4, { 2, 5, 2, 3 } }, { 4, { 2, 5, 2, 2 } }, { 3, { 2, 5, 5 } } }, .n_in = 4, .args = "causal=true" },
    { .in = { { 4, { 1, 3, 2, 2 } }, { 4, { 1, 4, 2, 2 } }, { 4, { 1, 4, 2, 2 } }, { 4, { 1, 2, 3, 4 } } }, .n_in = 4 },
    { .in = { { 4, { 2, 9, 1, 2 } }, { 4, { 2, 9, 1, 2 } }, { 4, { 2, 9, 1, 3 } } }, .n_in = 3, .args = "rate=0.4 causal=true", .training = true },
    { .in = { { 4, { 1, 70, 1, 2 } }, { 4, { 1, 70, 1, 2 } }, { 4, { 1, 70, 1, 2 } } }, .n_in = 3, .args = "causal=true" },
};

const Op op_attention = {
    .name = "attention",
    .doc = "attention(query, key, value, mask = nil, {causal = false, scale = nil, rate = 0}) -> y: for each head the values,\n"
           "weighted by softmax(scale query key^T). A key counts where the mask is above 0.5; where none counts, all weigh the same.\n"
           "Shapes: query [B, T, H, D], key [B, S, H, D], value [B, S, H, V], mask [B, S], [B, T, S] or [B, H, T, S] -> [B, T, H, V].\n"
           "Source: Vaswani et al. 2017.",
    .example = "local q = tensor.zeros(1, 1, 1, 2); local y = op.attention(q, tensor.zeros(1, 2, 1, 2), tensor{{{{1}}, {{3}}}}); assert(y[1][1][1][1] == 2)",
    .in_least = 3,
    .in_most = 4,
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
