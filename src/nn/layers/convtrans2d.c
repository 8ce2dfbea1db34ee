// SPDX-License-Identifier: MIT
#include "nn/init.h"
#include "nn/layer.h"
#include "nn/ops.h"

static const char *const paddings[] = { "valid", "same", NULL };
static const ArgSpec args[] = {
    { .name = "filters", .type = ARG_INT, .least = 1, .most = 1 << 20, .help = "how many channels come out" },
    { .name = "kernel_size", .type = ARG_INTS, .least = 1, .most = 65536, .count = 2, .help = "height and width of the window; one number: both" },
    { .name = "strides", .type = ARG_INTS, .fallback = "1,1", .least = 1, .most = 65536, .count = 2, .help = "pixels of the output from one input pixel to the next: down, right" },
    { .name = "padding", .type = ARG_CHOICE, .fallback = "valid", .choices = paddings, .help = "valid: all that windows reach; same: the input's size times the strides" },
    { .name = "output_padding", .type = ARG_INTS, .fallback = "nil", .least = 0, .most = 65535, .count = 2, .help = "more pixels below and on the right, fewer than the strides; nil: as padding says" },
    { .name = "dilation_rate", .type = ARG_INTS, .fallback = "1,1", .least = 1, .most = 65536, .count = 2, .help = "pixels from one tap of the window to the next" },
    { .name = "activation", .type = ARG_CHOICE, .fallback = "nil", .choices = activation_list, .help = "applied to the result" },
    { .name = "use_bias", .type = ARG_BOOL, .fallback = "true", .help = "add a bias to each filter" },
    { .name = "kernel_initializer", .type = ARG_TEXT, .fallback = "glorot_uniform", .choices = initializer_names, .help = "initial weights" },
    { .name = "bias_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial biases" },
};
static const LayerCase cases[] = {
    { .args = "filters=3 kernel_size=2", .in = { { 4, { 2, 3, 4, 2 } } }, .n_in = 1 },
    { .args = "filters=2 kernel_size=3,2 strides=2 padding=same activation=tanh", .in = { { 4, { 2, 3, 4, 2 } } }, .n_in = 1 },
    { .args = "filters=2 kernel_size=3 strides=2 padding=same output_padding=1 use_bias=false", .in = { { 4, { 1, 3, 3, 2 } } }, .n_in = 1 },
    { .args = "filters=2 kernel_size=2 dilation_rate=2 activation=relu", .in = { { 4, { 1, 3, 3, 3 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int64_t filters = args_int(&layer->args, "filters");
    const int64_t *size = args_ints(&layer->args, "kernel_size", NULL), *stride = args_ints(&layer->args, "strides", NULL);
    const int64_t *more = args_ints(&layer->args, "output_padding", NULL);
    (void)n_in;
    if (!ops_want_images(layer, &in[0], err))
        return false;
    if (args_given(&layer->args, "output_padding") && (more[0] >= stride[0] || more[1] >= stride[1]))
        return layer_refuse(layer, err, "has an output_padding of (%d, %d), which must be less than its strides, (%d, %d)", (int)more[0],
                            (int)more[1], (int)stride[0], (int)stride[1]);
    if (!ops_set(layer, &op_conv2d_transpose, err) || !activation_settle(layer, err) ||
        !layer_add_param(layer, "kernel", SHAPE(size[0], size[1], filters, in[0].d[3]), args_text(&layer->args, "kernel_initializer"), true, err))
        return false;
    return !args_bool(&layer->args, "use_bias") ||
           layer_add_param(layer, "bias", SHAPE(filters), args_text(&layer->args, "bias_initializer"), true, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *kernel = layer_param(layer, tape, 0, err), *bias = layer->n_params > 1 ? layer_param(layer, tape, 1, err) : NULL;
    (void)n_in;
    if (!kernel || (layer->n_params > 1 && !bias))
        return NULL;
    Node *y = tape_op(tape, &op_conv2d_transpose, (Node *[]){ in[0], kernel }, 2, &layer->op_args, err);
    y = y && bias ? tape_op(tape, &op_add, (Node *[]){ y, bias }, 2, NULL, err) : y;
    return activation_finish(layer, tape, y, err);
}

const LayerKind layer_convtrans2d = {
    .name = "Conv2DTranspose",
    .prefix = "conv2d_transpose",
    .doc = "A convolution run backwards: each input pixel puts a window of weights onto a larger image, as generators and U-nets do.\n"
           "Shapes: x [B, H, W, C], kernel [KH, KW, filters, C], bias [filters] -> y [B, OH, OW, filters]; padding = \"same\": OH = H * stride.",
    .example = "local m = nn.Sequential(); m:add(nn.Conv2DTranspose(5, 3, {strides = 2, padding = \"same\", input_shape = {4, 4, 2}})); assert(m.output_shape[1] == 8)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
