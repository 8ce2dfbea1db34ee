// SPDX-License-Identifier: MIT
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "max_wavelength", .type = ARG_FLOAT, .fallback = "10000", .least = 1, .most = 1e12, .help = "of the slowest feature" },
};
static const LayerCase cases[] = {
    { .in = { { 3, { 2, 4, 6 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    char got[SHAPE_TEXT];
    (void)n_in;
    if (in[0].rank != 3)
        return layer_refuse(layer, err, "wants sequences of shape (time, features), got %s", layer_shape_text(&in[0], got));
    ops_begin(layer, &op_sine_positions);
    return ops_hand_down(layer, "max_wavelength", "max_wavelength", err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_sine_positions, in, n_in, &layer->op_args, err);
}

const LayerKind layer_sineposition = {
    .name = "SinePositionEncoding",
    .prefix = "sine_position_encoding",
    .doc = "Sines and cosines that tell the steps of a sequence apart; add them to it: nn.Add()({x, nn.SinePositionEncoding()(x)}).\n"
           "Shapes: x [B, T, D] -> the same, of x only the shape counts.  Source: Vaswani et al. 2017, section 3.5; KerasHub's arguments.",
    .example = "local m = nn.Sequential(); m:add(nn.SinePositionEncoding({input_shape = {2, 4}})); assert(m:predict(tensor.zeros(1, 2, 4))[1][1][2] == 1)",
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
