// SPDX-License-Identifier: MIT
#include <string.h>

#include "nn/init.h"
#include "nn/layer.h"
#include "nn/ops.h"

static const char *const paddings[] = { "valid", "same", NULL };
static const ArgSpec args[] = {
    { .name = "kernel_size", .type = ARG_INTS, .least = 1, .most = 65536, .count = 2, .help = "height and width of the window; one number: both" },
    { .name = "strides", .type = ARG_INTS, .fallback = "1,1", .least = 1, .most = 65536, .count = 2, .help = "pixels from one position of the window to the next: down, right" },
    { .name = "padding", .type = ARG_CHOICE, .fallback = "valid", .choices = paddings, .help = "valid: only windows that lie inside; same: zeros around, so that strides of 1 keep the size" },
    { .name = "depth_multiplier", .type = ARG_INT, .fallback = "1", .least = 1, .most = 65536, .help = "filters of each channel" },
    { .name = "dilation_rate", .type = ARG_INTS, .fallback = "1,1", .least = 1, .most = 65536, .count = 2, .help = "pixels from one tap of the window to the next" },
    { .name = "activation", .type = ARG_CHOICE, .fallback = "nil", .choices = activation_list, .help = "applied to the result" },
    { .name = "use_bias", .type = ARG_BOOL, .fallback = "true", .help = "add a bias to each filter" },
    { .name = "depthwise_initializer", .type = ARG_TEXT, .fallback = "glorot_uniform", .choices = initializer_names, .help = "initial weights" },
    { .name = "bias_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial biases" },
};
static const LayerCase cases[] = {
    { .args = "kernel_size=2", .in = { { 4, { 2, 4, 5, 2 } } }, .n_in = 1 },
    { .args = "kernel_size=3,2 strides=2 padding=same depth_multiplier=3 activation=tanh", .in = { { 4, { 2, 5, 4, 2 } } }, .n_in = 1 },
    { .args = "kernel_size=2 dilation_rate=2 use_bias=false", .in = { { 4, { 1, 5, 5, 3 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int64_t channels = in[0].rank == 4 ? in[0].d[3] : 0, multiplier = args_int(&layer->args, "depth_multiplier");
    const int64_t *size = args_ints(&layer->args, "kernel_size", NULL), *dilation = args_ints(&layer->args, "dilation_rate", NULL);
    int64_t reach[2] = { (size[0] - 1) * dilation[0] + 1, (size[1] - 1) * dilation[1] + 1 };
    (void)n_in;
    if (!ops_want_images(layer, &in[0], err) ||
        (!strcmp(args_choice(&layer->args, "padding"), "valid") && !ops_want_room(layer, &in[0], reach, err)))
        return false;
    if (!ops_set(layer, &op_depthwise_conv2d, err) || !activation_settle(layer, err) ||
        !layer_add_param(layer, "kernel", SHAPE(size[0], size[1], channels, multiplier), args_text(&layer->args, "depthwise_initializer"),
                         true, err))
        return false;
    return !args_bool(&layer->args, "use_bias") ||
           layer_add_param(layer, "bias", SHAPE(channels * multiplier), args_text(&layer->args, "bias_initializer"), true, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *operands[3] = { in[0] };
    (void)n_in;
    for (int i = 0; i < layer->n_params; i++)
        if (!(operands[i + 1] = layer_param(layer, tape, i, err)))
            return NULL;
    return activation_finish(layer, tape, tape_op(tape, &op_depthwise_conv2d, operands, layer->n_params + 1, &layer->op_args, err), err);
}

const LayerKind layer_depthconv2d = {
    .name = "DepthwiseConv2D",
    .prefix = "depthwise_conv2d",
    .doc = "Every channel of an image has filters of its own, depth_multiplier of them: far fewer weights than Conv2D.\n"
           "Shapes: x [B, H, W, C], kernel [KH, KW, C, depth_multiplier], bias [C * depth_multiplier] -> y [B, OH, OW, C * depth_multiplier].",
    .example = "local m = nn.Sequential(); m:add(nn.DepthwiseConv2D(3, {input_shape = {8, 8, 4}})); assert(m:count_params() == 40)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
