// SPDX-License-Identifier: MIT
#include "nn/layer.h"

static const ArgSpec args[] = {
    { .name = "activation", .type = ARG_CHOICE, .choices = activation_list, .help = "the function, by name" },
};
static const LayerCase cases[] = {
    { .args = "activation=relu", .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .args = "activation=sigmoid", .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .args = "activation=tanh", .in = { { 4, { 1, 2, 2, 3 } } }, .n_in = 1 },
    { .args = "activation=softmax", .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .args = "activation=linear", .in = { { 2, { 3, 4 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)in, (void)n_in, (void)err;
    layer->activation = activation_op(args_choice(&layer->args, "activation"));
    return true;
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    return layer->activation ? tape_op(tape, layer->activation, in, 1, NULL, err) : in[0];
}

const LayerKind layer_activation = {
    .name = "Activation",
    .prefix = "activation",
    .doc = "A function of each element (softmax: of each row's last axis), as a layer of its own.\n"
           "Shapes: x [B, any] -> y the same.",
    .example = "local m = nn.Sequential(); m:add(nn.Activation(\"relu\", {input_shape = {2}})); assert(m:predict(tensor{{-1, 2}})[1][1] == 0)",
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
