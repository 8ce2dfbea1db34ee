// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/line.h"
#include "nn/ops.h"

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)n_in;
    return line_pool_build(layer, &op_average_pool2d, &in[0], err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    return line_pool_forward(layer, tape, &op_average_pool2d, in[0], err);
}

const LayerKind layer_avgpool1d = {
    .name = "AveragePooling1D",
    .prefix = "average_pooling1d",
    .doc = "The mean of each window of time steps, feature by feature; padding does not count.\n"
           "Shapes: x [B, T, C] -> y [B, OT, C].",
    .example = "local m = nn.Sequential(); m:add(nn.AveragePooling1D(2, {input_shape = {6, 3}})); assert(m.output_shape[1] == 3)",
    .args = line_pool_args,
    .n_args = LINE_POOL_ARGS,
    .in_least = 1,
    .in_most = 1,
    .cases = line_pool_cases,
    .n_cases = LINE_POOL_CASES,
    .build = build,
    .forward = forward,
};
