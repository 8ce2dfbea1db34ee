// SPDX-License-Identifier: MIT
#include "nn/init.h"
#include "nn/ops.h"
#include "nn/recurrent.h"

static const ArgSpec args[] = {
    { .name = "units", .type = ARG_INT, .least = 1, .most = 1 << 20, .help = "size of the state, and of the result" },
    { .name = "activation", .type = ARG_CHOICE, .fallback = "tanh", .choices = kern_act_names, .help = "of the candidate and of the result" },
    { .name = "recurrent_activation", .type = ARG_CHOICE, .fallback = "sigmoid", .choices = kern_act_names, .help = "of the gates" },
    RECURRENT_WEIGHT_ARGS,
    { .name = "unit_forget_bias", .type = ARG_BOOL, .fallback = "true", .help = "the forget gate's biases begin at 1" },
    RECURRENT_DROP_ARGS,
    RECURRENT_RUN_ARGS,
};
static const LayerCase cases[] = {
    { .args = "units=3", .in = { { 3, { 3, 4, 2 } } }, .n_in = 1 },
    { .args = "units=3 return_sequences=true return_state=true recurrent_activation=hard_sigmoid unit_forget_bias=false", .in = { { 3, { 3, 4, 2 } }, { 2, { 3, 3 } }, { 2, { 3, 3 } } }, .n_in = 3 },
    { .args = "units=2 use_bias=false go_backwards=true return_sequences=true", .in = { { 3, { 3, 4, 2 } } }, .n_in = 1 },
    { .args = "units=4 dropout=0.3 recurrent_dropout=0.3 seed=5 return_state=true", .in = { { 3, { 3, 4, 2 } } }, .n_in = 1 },
};
static const RecurrentKind kind = { &op_lstm, 4, 2 };

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

static void fill(Layer *layer)
{
    int64_t units = args_int(&layer->args, "units");
    int bias = layer_find_param(layer, "bias");
    for (int64_t u = 0; bias >= 0 && args_bool(&layer->args, "unit_forget_bias") && u < units; u++)
        tensor_real(&layer->params[bias].value)[units + u] = 1;
}

const LayerKind layer_lstm = {
    .name = "LSTM",
    .prefix = "lstm",
    .doc = "Long short-term memory: a network that reads a sequence step by step and carries a state along; gates say what to keep.\n"
           "Call it on x or {x, h, c}. With return_state: y, h, c. A mask of x leaves steps out.\n"
           "Shapes: x [B, T, I], kernel [I, 4 units], recurrent_kernel [units, 4 units], bias [4 units], gates in the order i f c o\n"
           "-> y [B, units]; [B, T, units] with return_sequences; h, c [B, units].  Source: Hochreiter and Schmidhuber 1997.",
    .example = "local m = nn.Sequential(); m:add(nn.LSTM(8, {input_shape = {5, 3}})); assert(m:count_params() == 4 * 8 * (3 + 8 + 1))",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 3,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .n_outputs = n_outputs,
    .mask = LAYER_MASK_OWN,
    .build = build,
    .forward = forward,
    .fill = fill,
};
