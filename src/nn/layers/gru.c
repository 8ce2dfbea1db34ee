// SPDX-License-Identifier: MIT
#include "nn/init.h"
#include "nn/ops.h"
#include "nn/recurrent.h"

static const ArgSpec args[] = {
    { .name = "units", .type = ARG_INT, .least = 1, .most = 1 << 20, .help = "size of the state, and of the result" },
    { .name = "activation", .type = ARG_CHOICE, .fallback = "tanh", .choices = kern_act_names, .help = "of the candidate" },
    { .name = "recurrent_activation", .type = ARG_CHOICE, .fallback = "sigmoid", .choices = kern_act_names, .help = "of the gates" },
    RECURRENT_WEIGHT_ARGS,
    RECURRENT_DROP_ARGS,
    RECURRENT_RUN_ARGS,
    { .name = "reset_after", .type = ARG_BOOL, .fallback = "true", .help = "the reset gate multiplies the product, which has a bias of its own; false: the state before it" },
};
static const LayerCase cases[] = {
    { .args = "units=3", .in = { { 3, { 3, 4, 2 } } }, .n_in = 1 },
    { .args = "units=3 return_sequences=true return_state=true recurrent_activation=hard_sigmoid", .in = { { 3, { 3, 4, 2 } }, { 2, { 3, 3 } } }, .n_in = 2 },
    { .args = "units=3 reset_after=false use_bias=false go_backwards=true return_sequences=true", .in = { { 3, { 3, 4, 2 } } }, .n_in = 1 },
    { .args = "units=3 reset_after=false dropout=0.3 recurrent_dropout=0.3 seed=5", .in = { { 3, { 3, 4, 2 } } }, .n_in = 1 },
};
static const RecurrentKind kind = { &op_gru, 3, 1 };

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

const LayerKind layer_gru = {
    .name = "GRU",
    .prefix = "gru",
    .doc = "Gated recurrent unit: like LSTM with one state and two gates.\n"
           "Call it on x or {x, h}. With return_state: y, h. A mask of x leaves steps out.\n"
           "Shapes: x [B, T, I], kernel [I, 3 units], recurrent_kernel [units, 3 units], bias [2, 3 units] ([3 units] without reset_after),\n"
           "gates in the order z r h -> y [B, units]; [B, T, units] with return_sequences; h [B, units].  Source: Cho et al. 2014.",
    .example = "local m = nn.Sequential(); m:add(nn.GRU(8, {input_shape = {5, 3}})); assert(m:count_params() == 3 * 8 * (3 + 8 + 2))",
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
