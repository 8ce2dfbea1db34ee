// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "nn/init.h"
#include "nn/layer.h"
#include "nn/ops.h"

static const char *const paddings[] = { "valid", "same", NULL };
static const ArgSpec args[] = {
    { .name = "filters", .type = ARG_INT, .least = 1, .most = 1 << 20, .help = "how many channels come out" },
    { .name = "kernel_size", .type = ARG_INTS, .count = 2, .least = 1, .most = 65536, .help = "height and width of the window; one number: both" },
    { .name = "strides", .type = ARG_INTS, .count = 2, .fallback = "1,1", .least = 1, .most = 65536,
      .help = "pixels from one position of the window to the next: down, right" },
    { .name = "padding", .type = ARG_CHOICE, .fallback = "valid", .choices = paddings,
      .help = "valid: only windows that lie inside; same: zeros around, so that strides of 1 keep the size" },
    { .name = "dilation_rate", .type = ARG_INTS, .count = 2, .fallback = "1,1", .least = 1, .most = 65536,
      .help = "pixels from one tap of the window to the next" },
    { .name = "groups", .type = ARG_INT, .fallback = "1", .least = 1, .most = 65536, .help = "parts of the channels that are convolved separately" },
    { .name = "activation", .type = ARG_CHOICE, .fallback = "nil", .choices = activation_list, .help = "applied to the result" },
    { .name = "use_bias", .type = ARG_BOOL, .fallback = "true", .help = "add a bias to each filter" },
    { .name = "kernel_initializer", .type = ARG_TEXT, .fallback = "glorot_uniform", .choices = initializer_names, .help = "initial weights" },
    { .name = "bias_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial biases" },
};
static const LayerCase cases[] = {
    { .args = "filters=3 kernel_size=2", .in = { { 4, { 2, 4, 5, 2 } } }, .n_in = 1 },
    { .args = "filters=2 kernel_size=3,2 strides=2,1 padding=same activation=tanh", .in = { { 4, { 2, 5, 4, 2 } } }, .n_in = 1 },
    { .args = "filters=4 kernel_size=3 groups=2 use_bias=false", .in = { { 4, { 1, 5, 5, 2 } } }, .n_in = 1 },
    { .args = "filters=2 kernel_size=2 dilation_rate=2 activation=sigmoid", .in = { { 4, { 2, 5, 5, 1 } } }, .n_in = 1 },
};

static bool hand_down(Layer *layer, Err *err)
{
    ops_begin(layer, &op_conv2d);
    return ops_hand_down(layer, "strides", "strides", err) && ops_hand_down(layer, "padding", "padding", err) &&
           ops_hand_down(layer, "dilation_rate", "dilation_rate", err) && ops_hand_down(layer, "groups", "groups", err) &&
           activation_settle(layer, err);
}

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int64_t filters = args_int(&layer->args, "filters"), groups = args_int(&layer->args, "groups");
    const int64_t *size = args_ints(&layer->args, "kernel_size", NULL), *dilation = args_ints(&layer->args, "dilation_rate", NULL);
    (void)n_in;
    if (!ops_want_images(layer, &in[0], err))
        return false;
    int64_t channels = in[0].d[3], reach[2] = { (size[0] - 1) * dilation[0] + 1, (size[1] - 1) * dilation[1] + 1 };
    if (channels % groups || filters % groups)
        return layer_refuse(layer, err, "has groups = %" PRId64 ", which must divide its %" PRId64 " input channels and its %" PRId64 " filters",
                            groups, channels, filters);
    if (!strcmp(args_choice(&layer->args, "padding"), "valid") && !ops_want_room(layer, &in[0], reach, err))
        return false;
    if (!hand_down(layer, err) || !layer_add_param(layer, "kernel", SHAPE(size[0], size[1], channels / groups, filters),
                                                   args_text(&layer->args, "kernel_initializer"), true, err))
        return false;
    return !args_bool(&layer->args, "use_bias") ||
           layer_add_param(layer, "bias", SHAPE(filters), args_text(&layer->args, "bias_initializer"), true, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *operands[3] = { in[0] };
    (void)n_in;
    for (int i = 0; i < layer->n_params; i++)
        if (!(operands[i + 1] = layer_param(layer, tape, i, err)))
            return NULL;
    return activation_finish(layer, tape, tape_op(tape, &op_conv2d, operands, layer->n_params + 1, &layer->op_args, err), err);
}

const LayerKind layer_conv2d = {
    .name = "Conv2D",
    .prefix = "conv2d",
    .doc = "Slides filters over an image: each output pixel is a weighted sum of a window of the input, for every filter its own.\n"
           "Shapes: x [B, H, W, C], kernel [KH, KW, C / groups, filters], bias [filters] -> y [B, OH, OW, filters].",
    .example = "local m = nn.Sequential(); m:add(nn.Conv2D(4, 3, {input_shape = {8, 8, 1}})); assert(m:count_params() == 40)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
