// SPDX-License-Identifier: MIT
#include "nn/augment.h"

enum { FACTOR, RANGE };

static const ArgSpec args[] = {
    AUGMENT_FACTOR("factor", -1, 1, "share of the range: f, or {lower, upper}"),
    AUGMENT_RANGE,
    AUGMENT_SEED,
};
static const LayerCase cases[] = {
    { .args = "factor=0.2", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
    { .args = "factor=0.1,0.3 value_range=0,1", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
};

static void augment(const Layer *layer, Rng *rng, Picture *picture)
{
    const double *range = layer->args.v[RANGE].u.floats.v;
    real low = (real)range[0], high = (real)range[1], delta = (real)(augment_draw(&layer->args.v[FACTOR], rng) * (range[1] - range[0]));
    for (int64_t i = 0; i < picture->H * picture->W * picture->C; i++) {
        real value = picture->now[i] + delta;
        picture->now[i] = value < low ? low : value > high ? high : value;
    }
}

const LayerKind layer_randombright = {
    .name = "RandomBrightness",
    .prefix = "random_brightness",
    .doc = "While training, adds a random share of value_range to all of an image, and cuts what leaves the range; f stands for {-f, f}.\n"
           "Shapes: x [B, H, W, C] -> y the same.",
    .example = "local y = nn.augment(tensor.ones(1, 8, 8, 3), {nn.RandomBrightness(0.2)}); assert(#y == 1)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = augment_build,
    .forward = augment_forward,
    .augment = augment,
};
