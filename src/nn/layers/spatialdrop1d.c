// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/line.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "rate", .type = ARG_FLOAT, .least = 0, .most = 1, .open_most = true, .help = "share of the channels that are set to zero while training" },
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 9007199254740991.0, .help = "of its random choices; nil: from the run's seed" },
};
static const LayerCase cases[] = {
    { .args = "rate=0.5", .in = { { 3, { 3, 4, 8 } } }, .n_in = 1 },
    { .args = "rate=0.25 seed=7", .in = { { 3, { 3, 4, 8 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)n_in;
    return line_want(layer, &in[0], err) && ops_set(layer, &op_spatial_dropout, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    return ops_random(layer, tape, &op_spatial_dropout, in[0], err);
}

const LayerKind layer_spatialdrop1d = {
    .name = "SpatialDropout1D",
    .prefix = "spatial_dropout1d",
    .doc = "While training, sets a random share of each sample's features to zero as a whole and scales the others by 1 / (1 - rate).\n"
           "Shapes: x [B, T, C] -> y the same.  Source: Tompson et al. 2015.",
    .example = "local m = nn.Sequential(); m:add(nn.SpatialDropout1D(0.5, {input_shape = {4, 2}})); assert(m:count_params() == 0)",
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
