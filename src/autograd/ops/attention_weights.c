// SPDX-License-Identifier: MIT
/* What attention looks at, for all to see: op_attention without ever holding these is the fast way. saved: as there. */
#include "autograd/attending.h"
#include "tensor/kern.h"

enum { Q, K, MASK };
enum { CAUSAL, SCALE };

static const ArgSpec args[] = {
    { .name = "causal", .type = ARG_BOOL, .fallback = "false", .help = "a query sees no key that comes after it" },
    { .name = "scale", .type = ARG_FLOAT, .fallback = "nil", .least = -1e9, .most = 1e9, .help = "factor of the scores; nil: 1 / sqrt(size of a key)" },
};

static Attend plan(const OpCall *call)
{
    return attending_plan(call, -1, MASK, call->args->v[CAUSAL].u.b, &call->args->v[SCALE], 0);
}

static bool infer(OpCall *call, Err *err)
{
    if (!attending_check(call, -1, MASK, err))
        return false;
    Attend a = plan(call);
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = SHAPE(a.B, a.H, a.T, a.S);
    call->saved_size = (size_t)(a.B * a.H * a.T) * sizeof(real);
    call->scratch_size = call->wants_grad ? (size_t)(a.B * a.H * a.T * a.S) * sizeof(real) : call->saved_size;
    return true;
}

static void forward(OpCall *call)
{
    Attend a = plan(call);
    a.lse = call->saved ? call->saved : call->scratch;
    kern_attend_weights(&a, tensor_real(&call->out));
}

static void backward(OpCall *call)
{
    Attend a = plan(call);
    a.lse = call->saved;
    a.dq = call->din[Q];
    a.dk = call->din[K];
    a.add_q = call->add[Q];
    a.add_k = call->add[K];
    kern_copy(call->scratch, call->dout, shape_count(&call->out.shape));
    kern_attend_weights_back(&a, tensor_real(&call->out), call->scratch);
    op_give_none(call, MASK);
}

static double flops(const OpCall *call)
{
    Attend a = plan(call);
    return (double)(a.B * a.H * a.T) * (double)a.S * (double)a.D;
}

static const char *const in_names[] = { "query", "key", "mask" };
static const OpCase cases[] = {
    { .in = { { 4, { 2, 3, 2, 3 } }, { 4, { 2, 4, 2, 3 } } }, .n_in = 2 },
    { .in = { { 4, { 2, 4, 2, 3 } }, { 4, { 2, 4, 2, 3 } }, { 2, { 2, 4 } } }, .n_in = 3, .args = "causal=true scale=0.3" },
};

const Op op_attention_weights = {
    .name = "attention_weights",
    .doc = "attention_weights(query, key, mask = nil, {causal = false, scale = nil}) -> p: softmax(scale query key^T) over the keys.\n"
           "Shapes: query [B, T, H, D], key [B, S, H, D], mask [B, S], [B, T, S] or [B, H, T, S] -> p [B, H, T, S].\n"
           "Source: Vaswani et al. 2017, equation 1.",
    .example = "local p = op.attention_weights(tensor.zeros(1, 1, 1, 2), tensor.zeros(1, 4, 1, 2)); assert(p[1][1][1][3] == 0.25)",
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
