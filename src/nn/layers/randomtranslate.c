// SPDX-License-Identifier: MIT
#include "nn/augment.h"

enum { HEIGHT, WIDTH, FILL };

static const ArgSpec args[] = {
    AUGMENT_FACTOR("height_factor", -1, 1, "share of the height: f, or {lower, upper}"),
    AUGMENT_FACTOR("width_factor", -1, 1, "share of the width"),
    AUGMENT_FILL("reflect"),
    AUGMENT_SEED,
};
static const LayerCase cases[] = {
    { .args = "height_factor=0.2 width_factor=0.3", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
    { .args = "height_factor=-0.2,0 width_factor=0,0.5 fill_mode=constant fill_value=2 interpolation=nearest", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
};

static void augment(const Layer *layer, Rng *rng, Picture *picture)
{
    Warp warp = augment_warp(&layer->args.v[FILL]);
    warp.a[5] = -augment_draw(&layer->args.v[HEIGHT], rng) * (double)picture->H;
    warp.a[2] = -augment_draw(&layer->args.v[WIDTH], rng) * (double)picture->W;
    picture_warp(picture, &warp);
}

const LayerKind layer_randomtranslate = {
    .name = "RandomTranslation",
    .prefix = "random_translation",
    .doc = "While training, shifts each image by a random share of its height and width; positive is down and right, f stands for {-f, f}.\n"
           "Shapes: x [B, H, W, C] -> y the same.",
    .example = "local y = nn.augment(tensor.ones(1, 8, 8, 3), {nn.RandomTranslation(0.1, 0.1)}); assert(#y == 1)",
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
