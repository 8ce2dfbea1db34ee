// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/pooling.h"

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    return tape_op(tape, &op_average_pool2d, in, 1, &layer->op_args, err);
}

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)n_in;
    return pooling_build(layer, &op_average_pool2d, &in[0], err);
}

const LayerKind layer_avgpool2d = {
    .name = "AveragePooling2D",
    .prefix = "average_pooling2d",
    .doc = "The mean of each window of each channel; padding does not count.\n"
           "Shapes: x [B, H, W, C] -> y [B, OH, OW, C].",
    .example = "local m = nn.Sequential(); m:add(nn.AveragePooling2D(2, {input_shape = {4, 4, 3}})); assert(m.output_shape[1] == 2)",
    .args = pooling_layer_args,
    .n_args = POOLING_LAYER_ARGS,
    .in_least = 1,
    .in_most = 1,
    .cases = pooling_layer_cases,
    .n_cases = POOLING_LAYER_CASES,
    .build = build,
    .forward = forward,
};
