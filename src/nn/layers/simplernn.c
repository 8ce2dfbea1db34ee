// SPDX-License-Identifier: MIT
#include "nn/init.h"
#include "nn/ops.h"
#include "nn/recurrent.h"

static const ArgSpec args[] = {
    { .name = "units", .type = ARG_INT, .least = 1, .most = 1 << 20, .help = "size of the state, and of the result" },
    { .name = "activation", .type = ARG_CHOICE, .fallback = "tanh", .choices = kern_act_names, .help = "of the new state" },
    RECURRENT_WEIGHT_ARGS,
    RECURRENT_DROP_ARGS,
    RECURRENT_RUN_ARGS,
};
static const LayerCase cases[] = {
    { .args = "units=3", .in = { { 3, { 3, 4, 2 } } }, .n_in = 1 },
    { .args = "units=3 return_sequences=true return_state=true activation=sigmoid", .in = { { 3, { 3, 4, 2 } }, { 2, { 3, 3 } } }, .n_in = 2 },
    { .args = "units=3 use_bias=false go_backwards=true return_sequences=true", .in = { { 3, { 3, 4, 2 } } }, .n_in = 1 },
    { .args = "units=3 dropout=0.3 recurrent_dropout=0.3 seed=5", .in = { { 3, { 3, 4, 2 } } }, .n_in = 1 },
};
static const RecurrentKind kind = { &op_simple_rnn, 1, 1 };

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    return recurrent_build(layer, &kind, in, n_in, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return recurrent_forward(layer, &kind, tape, in, n_in, err);
}

static int n_outputs(const Layer *layer)
{
    return recurrent_outputs(layer, &kind);
}

const LayerKind layer_simplernn = {
    .name = "SimpleRNN",
    .prefix = "simple_rnn",
    .doc = "The plain recurrent network: h = activation(x kernel + h recurrent_kernel + bias) at every step of a sequence.\n"
           "Call it on x or {x, h}. With return_state: y, h. A mask of x leaves steps out.\n"
           "Shapes: x [B, T, I], kernel [I, units], recurrent_kernel [units, units], bias [units]\n"
           "-> y [B, units]; [B, T, units] with return_sequences; h [B, units].  Source: Elman 1990.",
    .example = "local m = nn.Sequential(); m:add(nn.SimpleRNN(8, {input_shape = {5, 3}})); assert(m:count_params() == 8 * (3 + 8 + 1))",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 2,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .n_outputs = n_outputs,
    .mask = LAYER_MASK_OWN,
    .build = build,
    .forward = forward,
};
