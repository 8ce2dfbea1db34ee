// SPDX-License-Identifier: MIT
#include <string.h>

#include "nn/augment.h"

enum { MODE };
enum { HORIZONTAL, VERTICAL, BOTH };

static const char *const modes[] = { "horizontal", "vertical", "horizontal_and_vertical", NULL };

static const ArgSpec args[] = {
    { .name = "mode", .type = ARG_CHOICE, .fallback = "horizontal_and_vertical", .choices = modes, .help = "which halves change places" },
    AUGMENT_SEED,
};
static const LayerCase cases[] = {
    { .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
    { .args = "mode=horizontal", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
    { .args = "mode=vertical seed=3", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
};

static void augment(const Layer *layer, Rng *rng, Picture *picture)
{
    int64_t mode = layer->args.v[MODE].u.i, H = picture->H, W = picture->W, C = picture->C;
    bool across = mode != VERTICAL && rng_uniform(rng) < 0.5, down = mode != HORIZONTAL && rng_uniform(rng) < 0.5;
    if (!across && !down)
        return;
    for (int64_t i = 0; i < H; i++)
        for (int64_t j = 0; j < W; j++) {
            const real *from = picture->now + ((down ? H - 1 - i : i) * W + (across ? W - 1 - j : j)) * C;
            memcpy(picture->spare + (i * W + j) * C, from, (size_t)C * sizeof *from);
        }
    picture_swap(picture);
}

const LayerKind layer_randomflip = {
    .name = "RandomFlip",
    .prefix = "random_flip",
    .doc = "While training, mirrors each image with a chance of one half: left and right, up and down, or each of both.\n"
           "Shapes: x [B, H, W, C] -> y the same.",
    .example = "local y = nn.augment(tensor.ones(1, 8, 8, 3), {nn.RandomFlip('horizontal')}); assert(#y == 1)",
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
