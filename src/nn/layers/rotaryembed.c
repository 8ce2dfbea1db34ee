// SPDX-License-Identifier: MIT
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "max_wavelength", .type = ARG_FLOAT, .fallback = "10000", .least = 1, .most = 1e12, .help = "of the slowest feature" },
    { .name = "scaling_factor", .type = ARG_FLOAT, .fallback = "1.0", .least = 1e-6, .most = 1e6, .help = "positions are divided by this" },
};
static const LayerCase cases[] = {
    { .in = { { 3, { 2, 4, 6 } } }, .n_in = 1 },
    { .args = "max_wavelength=100 scaling_factor=2", .in = { { 4, { 2, 3, 2, 4 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    char got[SHAPE_TEXT];
    (void)n_in;
    if (in[0].rank < 3 || in[0].d[in[0].rank - 1] % 2)
        return layer_refuse(layer, err, "wants sequences of shape (time, .., features) with an even number of features, got %s",
                            layer_shape_text(&in[0], got));
    ops_begin(layer, &op_rotary);
    return ops_hand_down(layer, "max_wavelength", "max_wavelength", err) && ops_hand_down(layer, "scaling_factor", "scaling_factor", err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_rotary, in, n_in, &layer->op_args, err);
}

const LayerKind layer_rotaryembed = {
    .name = "RotaryEmbedding",
    .prefix = "rotary_embedding",
    .doc = "Turns pairs of features by an angle that grows with the step, so that products of queries and keys see distances only.\n"
           "Shapes: x [B, T, .., D], D even -> the same.  Source: Su et al. 2021; arguments and arrangement of KerasHub.",
    .example = "local m = nn.Sequential(); m:add(nn.RotaryEmbedding({input_shape = {2, 4}})); assert(m:predict(tensor.ones(1, 2, 4))[1][1][1] == 1)",
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
