// SPDX-License-Identifier: MIT
#include <string.h>

#include "autograd/recurrent.h"

static void carry(const Recur *r, real *states, int64_t s, int64_t b)
{
    memcpy(states + recur_at(r, s + 1, b, r->U), states + recur_at(r, s, b, r->U), (size_t)r->U * sizeof *states);
}

static void step(const Recur *r, int64_t s, int64_t first, int64_t n)
{
    const real *bias = r->call->has[RECUR_BIAS] ? tensor_real(&r->call->in[RECUR_BIAS]) : NULL;
    real *z = r->z + recur_at(r, s, first, r->G);
    kern_rnn_product(z, r->G, recur_in(r, s, first, n), r->U, &r->weights[0], n, true);
    for (int64_t b = first; b < first + n; b++, z += r->G)
        if (recur_counts(r, s, b)) {
            int64_t after = recur_at(r, s + 1, b, r->U);
            kern_lstm(r->h + after, r->c + after, z, bias, r->c + recur_at(r, s, b, r->U), r->U, r->act, r->rec);
        } else {
            carry(r, r->h, s, b);
            carry(r, r->c, s, b);
        }
}

static void back(const Recur *r, int64_t s, int64_t first, int64_t n)
{
    real *dz = r->dz + recur_at(r, s, first, r->G);
    for (int64_t b = first; b < first + n; b++) {
        real *at = r->dz + recur_at(r, s, b, r->G), *dh = r->dh + b * r->U;
        int64_t before = recur_at(r, s, b, r->U), after = recur_at(r, s + 1, b, r->U);
        if (!recur_counts(r, s, b)) {
            memset(at, 0, (size_t)r->G * sizeof *at);
            continue;
        }
        kern_lstm_back(at, r->dc + b * r->U, dh, r->z + recur_at(r, s, b, r->G), r->c + after, r->c + before, r->spare + 2 * b * r->U, r->U,
                       r->act, r->rec);
        memset(dh, 0, (size_t)r->U * sizeof *dh);
    }
    kern_rnn_product(r->din + first * r->U, r->U, dz, r->G, &r->weights[0], n, false);
    recur_give_in(r, s, first, n);
}

static const RecurKind kind = { .gates = 4, .states = 2, .step = step, .back = back };

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
    { .name = "activation", .type = ARG_CHOICE, .fallback = "tanh", .choices = kern_act_names, .help = "of the candidate and of the result" },
    { .name = "recurrent_activation", .type = ARG_CHOICE, .fallback = "sigmoid", .choices = kern_act_names, .help = "of the gates" },
    RECUR_ARGS,
};
static const OpCase cases[] = {
    { .in = { { 3, { 2, 3, 2 } }, { 2, { 2, 12 } }, { 2, { 3, 12 } } }, .n_in = 3 },
    { .in = { { 3, { 2, 4, 2 } }, { 2, { 2, 8 } }, { 2, { 2, 8 } }, { 1, { 8 } }, { 2, { 2, 4 } }, { 2, { 2, 2 } }, { 2, { 2, 2 } }, { 2, { 2, 2 } } },
      .n_in = 8,
      .args = "return_state=true" },
    { .in = { { 3, { 5, 3, 1 } }, { 2, { 1, 12 } }, { 2, { 3, 12 } }, { 1, { 12 } }, { 2, { 5, 3 } } },
      .n_in = 5,
      .args = "return_sequences=false go_backwards=true activation=sigmoid recurrent_activation=tanh" },
    { .in = { { 3, { 18, 2, 3 } }, { 2, { 3, 20 } }, { 2, { 5, 20 } }, { 1, { 20 } } }, .n_in = 4 },
    { .in = { { 3, { 4, 2, 2 } }, { 2, { 2, 68 } }, { 2, { 17, 68 } }, { 1, { 68 } } }, .n_in = 4, .args = "return_sequences=false return_state=true" },
};

const Op op_lstm = {
    .name = "lstm",
    .doc = "lstm(x, kernel, recurrent_kernel, bias, mask, recurrent_mask, h0, c0, {activation = \"tanh\", recurrent_activation = \"sigmoid\",\n"
           "return_sequences = true, return_state = false, go_backwards = false,\n"
           "zero_output_for_mask = false, stateful = false}) -> y\n"
           "Long short-term memory over whole sequences: z = x kernel + h recurrent_kernel + bias, gates in the order i f c o;\n"
           "c = f c + i act(z_c), h = o act(c). Steps whose mask is not above 0 leave the states as they are; recurrent_mask multiplies\n"
           "h where it enters the product. What comes after recurrent_kernel may be nil.\n"
           "Shapes: x [B, T, I], kernel [I, 4 U], recurrent_kernel [U, 4 U], bias [4 U], mask [B, T], recurrent_mask, h0, c0 [B, U]\n"
           "-> y [B, T, U]; [B, U] without return_sequences; return_state puts h and c behind as two more steps.\n"
           "Source: Hochreiter and Schmidhuber 1997; Gers et al. 2000.",
    .example = "local y = op.lstm(tensor.zeros({2, 3, 1}), tensor.zeros({1, 8}), tensor.zeros({2, 8})); assert(y.shape[2] == 3 and y[1][3][2] == 0)",
    .in_least = 3,
    .in_most = RECUR_IN,
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
