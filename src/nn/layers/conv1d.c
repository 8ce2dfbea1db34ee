// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "nn/init.h"
#include "nn/layer.h"
#include "nn/line.h"
#include "nn/ops.h"

static const char *const paddings[] = { "valid", "same", "causal", NULL };
static const ArgSpec args[] = {
    { .name = "filters", .type = ARG_INT, .least = 1, .most = 1 << 20, .help = "how many channels come out" },
    { .name = "kernel_size", .type = ARG_INT, .least = 1, .most = 65536, .help = "time steps of the window" },
    { .name = "strides", .type = ARG_INT, .fallback = "1", .least = 1, .most = 65536, .help = "steps from one position of the window to the next" },
    { .name = "padding", .type = ARG_CHOICE, .fallback = "valid", .choices = paddings, .help = "valid: only windows that lie inside; same: zeros around; causal: zeros in front" },
    { .name = "dilation_rate", .type = ARG_INT, .fallback = "1", .least = 1, .most = 65536, .help = "steps from one tap of the window to the next" },
    { .name = "groups", .type = ARG_INT, .fallback = "1", .least = 1, .most = 65536, .help = "parts of the features that are convolved separately" },
    { .name = "activation", .type = ARG_CHOICE, .fallback = "nil", .choices = activation_list, .help = "applied to the result" },
    { .name = "use_bias", .type = ARG_BOOL, .fallback = "true", .help = "add a bias to each filter" },
    { .name = "kernel_initializer", .type = ARG_TEXT, .fallback = "glorot_uniform", .choices = initializer_names, .help = "initial weights" },
    { .name = "bias_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial biases" },
};
static const LayerCase cases[] = {
    { .args = "filters=3 kernel_size=2", .in = { { 3, { 2, 5, 2 } } }, .n_in = 1 },
    { .args = "filters=2 kernel_size=3 strides=2 padding=same activation=tanh", .in = { { 3, { 2, 5, 2 } } }, .n_in = 1 },
    { .args = "filters=2 kernel_size=3 padding=causal dilation_rate=2", .in = { { 3, { 2, 6, 2 } } }, .n_in = 1 },
    { .args = "filters=4 kernel_size=2 groups=2 use_bias=false", .in = { { 3, { 1, 5, 4 } } }, .n_in = 1 },
};

static bool is_causal(const Layer *layer)
{
    return !strcmp(args_choice(&layer->args, "padding"), "causal");
}

static int64_t reach_of(const Layer *layer)
{
    return (args_int(&layer->args, "kernel_size") - 1) * args_int(&layer->args, "dilation_rate") + 1;
}

static bool hand_down(Layer *layer, Err *err)
{
    ops_begin(layer, &op_conv2d);
    return line_hand_down(layer, "strides", "strides", err) && line_hand_down(layer, "dilation_rate", "dilation_rate", err) &&
           ops_hand_down(layer, "groups", "groups", err) && (is_causal(layer) || ops_hand_down(layer, "padding", "padding", err)) &&
           activation_settle(layer, err);
}

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int64_t filters = args_int(&layer->args, "filters"), groups = args_int(&layer->args, "groups"), size = args_int(&layer->args, "kernel_size");
    (void)n_in;
    if (!line_want(layer, &in[0], err))
        return false;
    int64_t channels = in[0].d[2];
    if (channels % groups || filters % groups)
        return layer_refuse(layer, err, "has groups = %" PRId64 ", which must divide its %" PRId64 " input channels and its %" PRId64 " filters",
                            groups, channels, filters);
    if (!strcmp(args_choice(&layer->args, "padding"), "valid") && reach_of(layer) > in[0].d[1])
        return layer_refuse(layer, err, "has a window of %" PRId64 " steps, but its sequences have only %" PRId64
                                        "; give padding = \"same\" or \"causal\"", reach_of(layer), in[0].d[1]);
    if (!hand_down(layer, err) ||
        !layer_add_param(layer, "kernel", SHAPE(size, channels / groups, filters), args_text(&layer->args, "kernel_initializer"), true, err))
        return false;
    return !args_bool(&layer->args, "use_bias") ||
           layer_add_param(layer, "bias", SHAPE(filters), args_text(&layer->args, "bias_initializer"), true, err);
}

/* [B, T, C] -> [B, zeros + T, C] */
static Node *push(const Layer *layer, Tape *tape, Node *x, Err *err)
{
    double zeros[2] = { 0, (double)(reach_of(layer) - 1) };
    Args before;
    args_init(&before, op_pad.args, op_pad.n_args);
    return args_set_numbers(&before, 0, zeros, 2, layer->name, err) ? tape_op(tape, &op_pad, &x, 1, &before, err) : NULL;
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *x = is_causal(layer) ? push(layer, tape, in[0], err) : in[0], *operands[3] = { line_open(tape, x, err) };
    (void)n_in;
    for (int i = 0; i < layer->n_params; i++)
        if (!(operands[i + 1] = layer_param(layer, tape, i, err)))
            return NULL;
    operands[1] = line_kernel(tape, operands[1], err);
    if (!operands[0] || !operands[1])
        return NULL;
    Node *y = tape_op(tape, &op_conv2d, operands, layer->n_params + 1, &layer->op_args, err);
    return activation_finish(layer, tape, line_close(tape, y, err), err);
}

const LayerKind layer_conv1d = {
    .name = "Conv1D",
    .prefix = "conv1d",
    .doc = "Slides filters along a sequence: each output step is a weighted sum of a window of steps, for every filter its own.\n"
           "padding = \"causal\": zeros in front only, so that no step sees a later one.\n"
           "Shapes: x [B, T, C], kernel [K, C / groups, filters], bias [filters] -> y [B, OT, filters].",
    .example = "local m = nn.Sequential(); m:add(nn.Conv1D(4, 3, {padding = \"causal\", input_shape = {8, 2}})); assert(m:count_params() == 28 and m.output_shape[1] == 8)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
