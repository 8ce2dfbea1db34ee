// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "nn/augment.h"

enum { FACTOR, FILL };

static const ArgSpec args[] = {
    AUGMENT_FACTOR("factor", -1, 1, "share of a whole turn: f, or {lower, upper}"),
    AUGMENT_FILL("reflect"),
    AUGMENT_SEED,
};
static const LayerCase cases[] = {
    { .args = "factor=0.1", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
    { .args = "factor=0.25,0.25 fill_mode=wrap", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
};

static void augment(const Layer *layer, Rng *rng, Picture *picture)
{
    Warp warp = augment_warp(&layer->args.v[FILL]);
    double angle = augment_draw(&layer->args.v[FACTOR], rng) * 2 * 3.14159265358979323846, c = cos(angle), s = sin(angle);
    double x = (double)(picture->W - 1) / 2, y = (double)(picture->H - 1) / 2; /* the middle stays where it is */
    double a[6] = { c, -s, x - c * x + s * y, s, c, y - s * x - c * y };
    memcpy(warp.a, a, sizeof a);
    picture_warp(picture, &warp);
}

const LayerKind layer_randomrotate = {
    .name = "RandomRotation",
    .prefix = "random_rotation",
    .doc = "While training, turns each image by a random share of a whole turn; positive is counter-clockwise, f stands for {-f, f}.\n"
           "Shapes: x [B, H, W, C] -> y the same.",
    .example = "local y = nn.augment(tensor.ones(1, 8, 8, 3), {nn.RandomRotation(0.1)}); assert(#y == 1)",
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
