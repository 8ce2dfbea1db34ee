// SPDX-License-Identifier: MIT
/* The sums are made where the states will stand: z of step s is h of step s + 1. */
#include <string.h>

#include "autograd/recurrent.h"

static void step(const Recur *r, int64_t s, int64_t first, int64_t n)
{
    const real *bias = r->call->has[RECUR_BIAS] ? tensor_real(&r->call->in[RECUR_BIAS]) : NULL;
    real *h = r->h + recur_at(r, s + 1, first, r->U);
    kern_rnn_product(h, r->U, recur_in(r, s, first, n), r->U, &r->weights[0], n, true);
    for (int64_t b = first; b < first + n; b++, h += r->U)
        if (recur_counts(r, s, b))
            kern_act_rows(r->act, h, bias, 1, r->U);
        else
            memcpy(h, r->h + recur_at(r, s, b, r->U), (size_t)r->U * sizeof *h);
}

static void back(const Recur *r, int64_t s, int64_t first, int64_t n)
{
    size_t size = (size_t)r->U * sizeof(real);
    for (int64_t b = first; b < first + n; b++) {
        real *dz = r->dz + recur_at(r, s, b, r->U), *dh = r->dh + b * r->U;
        if (!recur_counts(r, s, b)) {
            memset(dz, 0, size);
            continue;
        }
        kern_act_back(r->act, dz, dh, r->h + recur_at(r, s + 1, b, r->U), r->U);
        memset(dh, 0, size);
    }
    kern_rnn_product(r->din + first * r->U, r->U, r->dz + recur_at(r, s, first, r->U), r->U, &r->weights[0], n, false);
    recur_give_in(r, s, first, n);
}

static const RecurKind kind = { .gates = 1, .states = 1, .step = step, .back = back };

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
    { .name = "activation", .type = ARG_CHOICE, .fallback = "tanh", .choices = kern_act_names, .help = "of the new state" },
    RECUR_ARGS,
};
static const OpCase cases[] = {
    { .in = { { 3, { 2, 3, 2 } }, { 2, { 2, 3 } }, { 2, { 3, 3 } } }, .n_in = 3 },
    { .in = { { 3, { 2, 4, 2 } }, { 2, { 2, 3 } }, { 2, { 3, 3 } }, { 1, { 3 } }, { 2, { 2, 4 } }, { 2, { 2, 3 } }, { 2, { 2, 3 } } },
      .n_in = 7,
      .args = "return_state=true zero_output_for_mask=true" },
    { .in = { { 3, { 5, 3, 2 } }, { 2, { 2, 17 } }, { 2, { 17, 17 } }, { 1, { 17 } } }, .n_in = 4, .args = "return_sequences=false go_backwards=true activation=sigmoid" },
};

const Op op_simple_rnn = {
    .name = "simple_rnn",
    .doc = "simple_rnn(x, kernel, recurrent_kernel, bias, mask, recurrent_mask, h0, {activation = \"tanh\", return_sequences = true,\n"
           "return_state = false, go_backwards = false,\n"
           "zero_output_for_mask = false, stateful = false}) -> y\n"
           "The plain recurrent network over whole sequences: h = act(x kernel + h recurrent_kernel + bias). Steps whose mask is not above\n"
           "0 leave h as it is; recurrent_mask multiplies h where it enters the product. What comes after recurrent_kernel may be nil.\n"
           "Shapes: x [B, T, I], kernel [I, U], recurrent_kernel [U, U], bias [U], mask [B, T], recurrent_mask, h0 [B, U]\n"
           "-> y [B, T, U]; [B, U] without return_sequences; return_state puts h behind as one more step.  Source: Elman 1990.",
    .example = "local y = op.simple_rnn({{{1}, {2}}}, {{1}}, {{10}}, {activation = \"linear\"}); assert(y[1][1][1] == 1 and y[1][2][1] == 12)",
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
