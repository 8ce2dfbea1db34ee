// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdio.h>

#include "nn/init.h"
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "axis", .type = ARG_INT, .fallback = "-1", .least = -1, .most = 7, .help = "the axis of channels: the last" },
    { .name = "momentum", .type = ARG_FLOAT, .fallback = "0.99", .least = 0, .most = 1, .help = "share of the old moving average that stays" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "0.001", .least = 0, .most = HUGE_VAL, .help = "added to the variance" },
    { .name = "center", .type = ARG_BOOL, .fallback = "true", .help = "learn an offset for each channel (beta)" },
    { .name = "scale", .type = ARG_BOOL, .fallback = "true", .help = "learn a factor for each channel (gamma)" },
    { .name = "beta_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial offsets" },
    { .name = "gamma_initializer", .type = ARG_TEXT, .fallback = "ones", .choices = initializer_names, .help = "initial factors" },
    { .name = "moving_mean_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial moving mean" },
    { .name = "moving_variance_initializer", .type = ARG_TEXT, .fallback = "ones", .choices = initializer_names,
      .help = "initial moving variance" },
};
static const LayerCase cases[] = {
    { .in = { { 2, { 5, 3 } } }, .n_in = 1 },
    { .args = "momentum=0.9 epsilon=0.01", .in = { { 4, { 2, 3, 2, 2 } } }, .n_in = 1 },
    { .args = "center=false", .in = { { 2, { 4, 2 } } }, .n_in = 1 },
    { .args = "scale=false", .in = { { 2, { 4, 2 } } }, .n_in = 1 },
};

static bool add(Layer *layer, const char *name, int64_t channels, bool wanted, bool trainable, Err *err)
{
    char initializer[48];
    snprintf(initializer, sizeof initializer, "%s_initializer", name);
    return !wanted || layer_add_param(layer, name, SHAPE(channels), args_text(&layer->args, initializer), trainable, err);
}

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int64_t axis = args_int(&layer->args, "axis"), channels = in[0].d[in[0].rank - 1];
    (void)n_in;
    if (in[0].rank < 2)
        return layer_refuse(layer, err, "wants several numbers for each sample, got single numbers; add nn.Reshape({1}) before it");
    if (axis != -1 && axis != in[0].rank - 1)
        return layer_refuse(layer, err, "normalises the last axis only; give axis = -1");
    ops_begin(layer, &op_batch_norm);
    if (!ops_hand_down(layer, "momentum", "momentum", err) || !ops_hand_down(layer, "epsilon", "epsilon", err))
        return false;
    return add(layer, "gamma", channels, args_bool(&layer->args, "scale"), true, err) &&
           add(layer, "beta", channels, args_bool(&layer->args, "center"), true, err) &&
           add(layer, "moving_mean", channels, true, false, err) && add(layer, "moving_variance", channels, true, false, err);
}

/* A layer that is not trained is at rest altogether, as in Keras: it normalises by its moving averages, which stay as they are. */
static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    /* Parameters stand in the order gamma, beta, moving_mean, moving_variance; the first two may be absent. */
    bool present[4] = { args_bool(&layer->args, "scale"), args_bool(&layer->args, "center"), true, true };
    Node *operands[5] = { in[0] };
    (void)n_in;
    for (int at = 0, i = 0; at < 4; at++)
        if (present[at] && !(operands[at + 1] = layer_param(layer, tape, i++, err)))
            return NULL;
    TapeMode mode = tape->mode;
    if (mode == TAPE_TRAIN && !layer->trainable)
        tape->mode = TAPE_FORWARD;
    Node *y = tape_op(tape, &op_batch_norm, operands, 5, &layer->op_args, err);
    tape->mode = mode;
    return y;
}

const LayerKind layer_batchnorm = {
    .name = "BatchNormalization",
    .prefix = "batch_normalization",
    .doc = "While training, each channel gets mean 0 and variance 1 over the batch, then a learnt scale and offset; afterwards the moving\n"
           "averages of training stand in for the batch's. Shapes: x [B, .., C] -> the same.  Source: Ioffe and Szegedy 2015.",
    .example = "local m = nn.Sequential(); m:add(nn.BatchNormalization({input_shape = {8}})); assert(m:count_params() == 32)",
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
