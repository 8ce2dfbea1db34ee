// SPDX-License-Identifier: MIT
#include "nn/augment.h"

enum { HEIGHT, WIDTH, FILL };

static const ArgSpec args[] = {
    AUGMENT_FACTOR("height_factor", -1, 1, "share of the height: f, or {lower, upper}"),
    { .name = "width_factor", .type = ARG_FLOATS, .fallback = "nil", .least = -1, .most = 1, .help = "share of the width; nil: proportions are kept" },
    AUGMENT_FILL("reflect"),
    AUGMENT_SEED,
};
static const LayerCase cases[] = {
    { .args = "height_factor=0.2", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
    { .args = "height_factor=0.1,0.3 width_factor=-0.2,0 fill_mode=nearest", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
};

static void augment(const Layer *layer, Rng *rng, Picture *picture)
{
    Warp warp = augment_warp(&layer->args.v[FILL]);
    double down = 1 + augment_draw(&layer->args.v[HEIGHT], rng), across = layer->args.v[WIDTH].given ? 1 + augment_draw(&layer->args.v[WIDTH], rng) : down;
    warp.a[0] = across;
    warp.a[2] = (double)(picture->W - 1) / 2 * (1 - across);
    warp.a[4] = down;
    warp.a[5] = (double)(picture->H - 1) / 2 * (1 - down);
    picture_warp(picture, &warp);
}

const LayerKind layer_randomzoom = {
    .name = "RandomZoom",
    .prefix = "random_zoom",
    .doc = "While training, zooms each image by a random factor; positive is out, negative in, f stands for {-f, f}.\n"
           "Shapes: x [B, H, W, C] -> y the same.",
    .example = "local y = nn.augment(tensor.ones(1, 8, 8, 3), {nn.RandomZoom(0.2)}); assert(#y == 1)",
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
