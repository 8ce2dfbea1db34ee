// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const char *const interpolations[] = { "nearest", "bilinear", NULL };
static const ArgSpec args[] = {
    { .name = "size", .type = ARG_INTS, .fallback = "2,2", .least = 1, .most = 65536, .count = 2, .help = "factors of height and width; one number: both" },
    { .name = "interpolation", .type = ARG_CHOICE, .fallback = "nearest", .choices = interpolations, .help = "how pixels between are made" },
};
static const LayerCase cases[] = {
    { .in = { { 4, { 2, 2, 3, 2 } } }, .n_in = 1 },
    { .args = "size=1,3", .in = { { 4, { 1, 2, 2, 2 } } }, .n_in = 1 },
    { .args = "size=2 interpolation=bilinear", .in = { { 4, { 1, 3, 2, 2 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)n_in;
    return ops_want_images(layer, &in[0], err) && ops_set(layer, &op_upsample2d, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_upsample2d, in, n_in, &layer->op_args, err);
}

const LayerKind layer_upsample2d = {
    .name = "UpSampling2D",
    .prefix = "up_sampling2d",
    .doc = "Images made larger by whole factors. nearest: every pixel several times; bilinear: mixed from the nearest four.\n"
           "Shapes: x [B, H, W, C] -> y [B, H * size, W * size, C].",
    .example = "local m = nn.Sequential(); m:add(nn.UpSampling2D({input_shape = {2, 3, 1}})); assert(m.output_shape[1] == 4 and m.output_shape[2] == 6)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
