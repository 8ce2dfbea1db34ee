// SPDX-License-Identifier: MIT
#include "nn/augment.h"

enum { FACTOR, RANGE };

static const ArgSpec args[] = {
    AUGMENT_FACTOR("factor", 0, 1, "f, or {lower, upper}: how much less, how much more"),
    AUGMENT_RANGE,
    AUGMENT_SEED,
};
static const LayerCase cases[] = {
    { .args = "factor=0.2", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
    { .args = "factor=0.1,0.1 value_range=0,1", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
};

static void augment(const Layer *layer, Rng *rng, Picture *picture)
{
    const double *range = layer->args.v[RANGE].u.floats.v, *f = layer->args.v[FACTOR].u.floats.v;
    double least = 1 - f[0], most = 1 + f[layer->args.v[FACTOR].u.floats.n - 1];
    real low = (real)range[0], high = (real)range[1], factor = (real)(least + (most - least) * rng_uniform(rng));
    int64_t n = picture->H * picture->W, C = picture->C;
    for (int64_t c = 0; c < C; c++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += (double)picture->now[i * C + c];
        real mean = (real)(sum / (double)n);
        for (int64_t i = 0; i < n; i++) {
            real value = (picture->now[i * C + c] - mean) * factor + mean;
            picture->now[i * C + c] = value < low ? low : value > high ? high : value;
        }
    }
}

const LayerKind layer_randomcontrast = {
    .name = "RandomContrast",
    .prefix = "random_contrast",
    .doc = "While training, (x - mean) * factor + mean for each channel of an image, cut to value_range; the factor is drawn from 1 - lower to\n"
           "1 + upper.  Shapes: x [B, H, W, C] -> y the same.",
    .example = "local y = nn.augment(tensor.ones(1, 8, 8, 3), {nn.RandomContrast(0.2)}); assert(#y == 1)",
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
