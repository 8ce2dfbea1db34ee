// SPDX-License-Identifier: MIT
#include "nn/init.h"
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "units", .type = ARG_INT, .least = 1, .most = 1 << 30, .help = "how many numbers come out" },
    { .name = "activation", .type = ARG_CHOICE, .fallback = "nil", .choices = activation_list, .help = "applied to the result" },
    { .name = "use_bias", .type = ARG_BOOL, .fallback = "true", .help = "add a bias to each output" },
    { .name = "kernel_initializer", .type = ARG_TEXT, .fallback = "glorot_uniform", .choices = initializer_names,
      .help = "initial weights" },
    { .name = "bias_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial biases" },
};
static const LayerCase cases[] = {
    { .args = "units=4", .in = { { 2, { 3, 5 } } }, .n_in = 1 },
    { .args = "units=4 activation=relu bias_initializer=constant(0.3)", .in = { { 2, { 3, 5 } } }, .n_in = 1 },
    { .args = "units=3 activation=softmax use_bias=false", .in = { { 2, { 3, 5 } } }, .n_in = 1 },
    { .args = "units=2 activation=tanh kernel_initializer=he_normal", .in = { { 4, { 2, 2, 3, 4 } } }, .n_in = 1 },
    { .args = "units=1 activation=sigmoid", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)n_in;
    int64_t units = args_int(&layer->args, "units"), inputs = in[0].d[in[0].rank - 1];
    if (in[0].rank < 2)
        return layer_refuse(layer, err, "wants a list of numbers for each sample, got single numbers; add nn.Reshape({1}) before it");
    ops_begin(layer, &op_linear);
    if (!activation_settle(layer, err) ||
        !layer_add_param(layer, "kernel", SHAPE(inputs, units), args_text(&layer->args, "kernel_initializer"), true, err))
        return false;
    return !args_bool(&layer->args, "use_bias") ||
           layer_add_param(layer, "bias", SHAPE(units), args_text(&layer->args, "bias_initializer"), true, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *operands[3] = { in[0] };
    (void)n_in;
    for (int i = 0; i < layer->n_params; i++)
        if (!(operands[i + 1] = layer_param(layer, tape, i, err)))
            return NULL;
    return activation_finish(layer, tape, tape_op(tape, &op_linear, operands, layer->n_params + 1, &layer->op_args, err), err);
}

const LayerKind layer_dense = {
    .name = "Dense",
    .prefix = "dense",
    .doc = "Every output is a weighted sum of all inputs plus a bias, then the activation: y = activation(x kernel + bias).\n"
           "Shapes: x [B, .., I], kernel [I, units], bias [units] -> y [B, .., units]; it works on the last axis.",
    .example = "local m = nn.Sequential(); m:add(nn.Dense(2, \"relu\", {input_shape = {3}})); assert(m:count_params() == 8)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .mask = LAYER_MASK_PASS,
    .build = build,
    .forward = forward,
};
