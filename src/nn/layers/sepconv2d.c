// SPDX-License-Identifier: MIT
#include <string.h>

#include "nn/init.h"
#include "nn/layer.h"
#include "nn/ops.h"

static const char *const paddings[] = { "valid", "same", NULL };
static const ArgSpec args[] = {
    { .name = "filters", .type = ARG_INT, .least = 1, .most = 1 << 20, .help = "how many channels come out" },
    { .name = "kernel_size", .type = ARG_INTS, .least = 1, .most = 65536, .count = 2, .help = "height and width of the window; one number: both" },
    { .name = "strides", .type = ARG_INTS, .fallback = "1,1", .least = 1, .most = 65536, .count = 2, .help = "pixels from one position of the window to the next: down, right" },
    { .name = "padding", .type = ARG_CHOICE, .fallback = "valid", .choices = paddings, .help = "valid: only windows that lie inside; same: zeros around, so that strides of 1 keep the size" },
    { .name = "dilation_rate", .type = ARG_INTS, .fallback = "1,1", .least = 1, .most = 65536, .count = 2, .help = "pixels from one tap of the window to the next" },
    { .name = "depth_multiplier", .type = ARG_INT, .fallback = "1", .least = 1, .most = 65536, .help = "filters of each channel in the first step" },
    { .name = "activation", .type = ARG_CHOICE, .fallback = "nil", .choices = activation_list, .help = "applied to the result" },
    { .name = "use_bias", .type = ARG_BOOL, .fallback = "true", .help = "add a bias to each filter" },
    { .name = "depthwise_initializer", .type = ARG_TEXT, .fallback = "glorot_uniform", .choices = initializer_names, .help = "initial weights of the first step" },
    { .name = "pointwise_initializer", .type = ARG_TEXT, .fallback = "glorot_uniform", .choices = initializer_names, .help = "initial weights of the second" },
    { .name = "bias_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial biases" },
};
static const LayerCase cases[] = {
    { .args = "filters=3 kernel_size=2", .in = { { 4, { 2, 4, 5, 2 } } }, .n_in = 1 },
    { .args = "filters=2 kernel_size=3,2 strides=2 padding=same depth_multiplier=2 activation=tanh", .in = { { 4, { 2, 5, 4, 2 } } }, .n_in = 1 },
    { .args = "filters=4 kernel_size=2 dilation_rate=2 use_bias=false", .in = { { 4, { 1, 5, 5, 3 } } }, .n_in = 1 },
};

/* op_args are those of the second step, which has the activation; the first step's are made of the layer's own. */
static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int64_t channels = in[0].rank == 4 ? in[0].d[3] : 0, multiplier = args_int(&layer->args, "depth_multiplier");
    int64_t filters = args_int(&layer->args, "filters");
    const int64_t *size = args_ints(&layer->args, "kernel_size", NULL), *dilation = args_ints(&layer->args, "dilation_rate", NULL);
    int64_t reach[2] = { (size[0] - 1) * dilation[0] + 1, (size[1] - 1) * dilation[1] + 1 };
    (void)n_in;
    if (!ops_want_images(layer, &in[0], err) ||
        (!strcmp(args_choice(&layer->args, "padding"), "valid") && !ops_want_room(layer, &in[0], reach, err)))
        return false;
    ops_begin(layer, &op_conv2d);
    if (!activation_settle(layer, err) ||
        !layer_add_param(layer, "depthwise_kernel", SHAPE(size[0], size[1], channels, multiplier),
                         args_text(&layer->args, "depthwise_initializer"), true, err) ||
        !layer_add_param(layer, "pointwise_kernel", SHAPE(1, 1, channels * multiplier, filters),
                         args_text(&layer->args, "pointwise_initializer"), true, err))
        return false;
    return !args_bool(&layer->args, "use_bias") ||
           layer_add_param(layer, "bias", SHAPE(filters), args_text(&layer->args, "bias_initializer"), true, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *params[3] = { NULL };
    Args depth;
    (void)n_in;
    for (int i = 0; i < layer->n_params; i++)
        if (!(params[i] = layer_param(layer, tape, i, err)))
            return NULL;
    args_init(&depth, op_depthwise_conv2d.args, op_depthwise_conv2d.n_args);
    for (int i = 0; i < depth.n; i++)
        depth.v[i] = layer->args.v[args_find(&layer->args, depth.specs[i].name)];
    Node *y = tape_op(tape, &op_depthwise_conv2d, (Node *[]){ in[0], params[0] }, 2, &depth, err);
    y = y ? tape_op(tape, &op_conv2d, (Node *[]){ y, params[1], params[2] }, layer->n_params, &layer->op_args, err) : NULL;
    return activation_finish(layer, tape, y, err);
}

const LayerKind layer_sepconv2d = {
    .name = "SeparableConv2D",
    .prefix = "separable_conv2d",
    .doc = "A depthwise convolution, then one of single pixels that mixes its channels: nearly a Conv2D, for a fraction of the work.\n"
           "Shapes: x [B, H, W, C], depthwise_kernel [KH, KW, C, M], pointwise_kernel [1, 1, C * M, filters], bias [filters]\n"
           "-> y [B, OH, OW, filters], M the depth_multiplier.  Source: Chollet 2017.",
    .example = "local m = nn.Sequential(); m:add(nn.SeparableConv2D(5, 3, {input_shape = {8, 8, 4}})); assert(m:count_params() == 61)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
