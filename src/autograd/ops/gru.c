// SPDX-License-Identifier: MIT
/* Two orders of reset and product. reset_after: the candidate's recurrent product q, with a bias of its own, is multiplied by the gate
 * r; it is kept, since backward wants it. Otherwise r times the state enters a second product. */
#include <string.h>

#include "autograd/recurrent.h"

static const real *bias_of(const Recur *r, int64_t at)
{
    return r->call->has[RECUR_BIAS] ? tensor_real(&r->call->in[RECUR_BIAS]) + at : NULL;
}

/* q += bias, then candidate += r q. */
static void add_candidate(const Recur *r, real *z, real *q)
{
    kern_act_rows(KERN_ACT_LINEAR, q, bias_of(r, r->G + 2 * r->U), 1, r->U);
    kern_mul_add(z + 2 * r->U, z + r->U, q, r->U);
}

static void gates(const Recur *r, real *z)
{
    if (r->after && r->call->has[RECUR_BIAS])
        kern_act_rows(KERN_ACT_LINEAR, z, bias_of(r, r->G), 1, 2 * r->U);
    kern_act_rows(r->rec, z, bias_of(r, 0), 1, 2 * r->U);
}

static void step(const Recur *r, int64_t s, int64_t first, int64_t n)
{
    const real *in = recur_in(r, s, first, n);
    real *z = r->z + recur_at(r, s, first, r->G), *q = r->after ? r->q + recur_at(r, s, first, r->U) : NULL;
    int64_t U = r->U;
    kern_rnn_product(z, r->G, in, U, &r->weights[0], n, true);
    if (r->after)
        kern_rnn_product(q, U, in, U, &r->weights[1], n, false);
    for (int64_t i = 0; i < n; i++)
        gates(r, z + i * r->G);
    for (int64_t i = 0; i < n; i++)
        if (r->after)
            add_candidate(r, z + i * r->G, q + i * U);
        else
            kern_mul(r->in + (first + i) * U, in + i * U, z + i * r->G + U, U);
    if (!r->after)
        kern_rnn_product(z + 2 * U, r->G, r->in + first * U, U, &r->weights[1], n, true);
    for (int64_t b = first; b < first + n; b++, z += r->G) {
        const real *before = r->h + recur_at(r, s, b, U);
        real *after = r->h + recur_at(r, s + 1, b, U);
        kern_act_rows(r->act, z + 2 * U, bias_of(r, 2 * U), 1, U);
        if (recur_counts(r, s, b))
            kern_gru_mix(after, z, z + 2 * U, before, U);
        else
            memcpy(after, before, (size_t)U * sizeof *after);
    }
}

/* dz of the gate z and of the candidate; what goes to the state directly stays in dh. */
static void back_row(const Recur *r, int64_t s, int64_t b)
{
    int64_t U = r->U, at = recur_at(r, s, b, U);
    real *dz = r->dz + recur_at(r, s, b, r->G), *dq = r->dq + at;
    const real *z = r->z + recur_at(r, s, b, r->G);
    if (!recur_counts(r, s, b)) {
        memset(dz, 0, (size_t)r->G * sizeof *dz);
        memset(dq, 0, (size_t)U * sizeof *dq);
        return;
    }
    kern_gru_unmix(dz, dz + 2 * U, r->dh + b * U, z, z + 2 * U, r->h + at, U);
    kern_act_back(r->rec, dz, dz, z, U);
    kern_act_back(r->act, dz + 2 * U, dz + 2 * U, z + 2 * U, U);
    if (!r->after)
        return;
    kern_mul(dz + U, dz + 2 * U, r->q + at, U);
    kern_act_back(r->rec, dz + U, dz + U, z + U, U);
    kern_mul(dq, dz + 2 * U, z + U, U);
}

/* Without reset_after: dq is the gradient of r times the state. */
static void back_reset(const Recur *r, int64_t s, int64_t first, int64_t n)
{
    int64_t U = r->U;
    const real *in = recur_in(r, s, first, n);
    real *din = r->din + first * U;
    kern_rnn_product(r->dq + recur_at(r, s, first, U), U, r->dz + recur_at(r, s, first, r->G) + 2 * U, r->G, &r->weights[1], n, false);
    for (int64_t i = 0; i < n; i++, in += U, din += U) {
        const real *gate = r->z + recur_at(r, s, first + i, r->G) + U, *dq = r->dq + recur_at(r, s, first + i, U);
        real *dr = r->dz + recur_at(r, s, first + i, r->G) + U;
        if (!recur_counts(r, s, first + i)) {
            memset(din, 0, (size_t)U * sizeof *din);
            continue;
        }
        kern_mul(dr, dq, in, U);
        kern_act_back(r->rec, dr, dr, gate, U);
        kern_mul(din, dq, gate, U);
    }
}

static void back(const Recur *r, int64_t s, int64_t first, int64_t n)
{
    real *din = r->din + first * r->U;
    for (int64_t b = first; b < first + n; b++)
        back_row(r, s, b);
    if (r->after)
        kern_rnn_product(din, r->U, r->dq + recur_at(r, s, first, r->U), r->U, &r->weights[1], n, false);
    else
        back_reset(r, s, first, n);
    kern_rnn_product(din, r->U, r->dz + recur_at(r, s, first, r->G), r->G, &r->weights[0], n, true);
    recur_give_in(r, s, first, n);
}

static const RecurKind kind = { .gates = 3, .states = 1, .step = step, .back = back };

static bool infer(OpCall *call, Err *err)
{
    return recur_infer(&kind, call, err);
}

static void forward(OpCall *call)
{
    recur_forward(&kind, call);
}

static void backward(OpCall *call)
{
    recur_backward(&kind, call);
}

static void commit(OpCall *call)
{
    recur_commit(&kind, call);
}

static double flops(const OpCall *call)
{
    return recur_flops(&kind, call);
}

static const ArgSpec args[] = {
    { .name = "activation", .type = ARG_CHOICE, .fallback = "tanh", .choices = kern_act_names, .help = "of the candidate" },
    { .name = "recurrent_activation", .type = ARG_CHOICE, .fallback = "sigmoid", .choices = kern_act_names, .help = "of the gates" },
    { .name = "reset_after", .type = ARG_BOOL, .fallback = "true", .help = "the gate r multiplies the candidate's product, not the state before it" },
    RECUR_ARGS,
};
static const OpCase cases[] = {
    { .in = { { 3, { 2, 3, 2 } }, { 2, { 2, 9 } }, { 2, { 3, 9 } } }, .n_in = 3 },
    { .in = { { 3, { 2, 4, 2 } }, { 2, { 2, 6 } }, { 2, { 2, 6 } }, { 2, { 2, 6 } }, { 2, { 2, 4 } }, { 2, { 2, 2 } }, { 2, { 2, 2 } } },
      .n_in = 7,
      .args = "return_state=true" },
    { .in = { { 3, { 2, 4, 2 } }, { 2, { 2, 9 } }, { 2, { 3, 9 } }, { 1, { 9 } }, { 2, { 2, 4 } }, { 2, { 2, 3 } }, { 2, { 2, 3 } } },
      .n_in = 7,
      .args = "reset_after=false return_state=true go_backwards=true" },
    { .in = { { 3, { 4, 2, 1 } }, { 2, { 1, 51 } }, { 2, { 17, 51 } }, { 2, { 2, 51 } } },
      .n_in = 4,
      .args = "return_sequences=false activation=sigmoid recurrent_activation=tanh" },
    { .in = { { 3, { 18, 2, 3 } }, { 2, { 3, 9 } }, { 2, { 3, 9 } }, { 1, { 9 } } }, .n_in = 4, .args = "reset_after=false" },
};

const Op op_gru = {
    .name = "gru",
    .doc = "gru(x, kernel, recurrent_kernel, bias, mask, recurrent_mask, h0, {activation = \"tanh\", recurrent_activation = \"sigmoid\",\n"
           "reset_after = true, return_sequences = true, return_state = false, go_backwards = false,\n"
           "zero_output_for_mask = false, stateful = false}) -> y\n"
           "Gated recurrent unit over whole sequences, gates in the order z r h: g = act(x_h + r (h recurrent_kernel_h + bias_h)), or with\n"
           "reset_after = false act(x_h + (r h) recurrent_kernel_h); h = z h + (1 - z) g. Steps whose mask is not above 0 leave h as it is;\n"
           "recurrent_mask multiplies h where it enters the products. What comes after recurrent_kernel may be nil.\n"
           "Shapes: x [B, T, I], kernel [I, 3 U], recurrent_kernel [U, 3 U], bias [2, 3 U] ([3 U] without reset_after), mask [B, T],\n"
           "recurrent_mask, h0 [B, U] -> y [B, T, U]; [B, U] without return_sequences; return_state puts h behind as one more step.\n"
           "Source: Cho et al. 2014, arXiv 1406.1078 v1 (reset_after) and v3.",
    .example = "local y = op.gru(tensor.zeros({1, 2, 1}), tensor.zeros({1, 3}), tensor.zeros({1, 3}), nil, nil, nil, {{8}}); assert(y[1][1][1] == 4 and y[1][2][1] == 2)",
    .in_least = 3,
    .in_most = RECUR_H0 + 1,
    .in_names = recur_in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .commit = commit,
    .flops = flops,
};
