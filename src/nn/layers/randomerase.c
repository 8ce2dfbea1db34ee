// SPDX-License-Identifier: MIT
#include <math.h>

#include "nn/augment.h"

enum { FACTOR, SCALE, FILL, RANGE };

static const ArgSpec args[] = {
    { .name = "factor", .type = ARG_FLOATS, .fallback = "1", .least = 0, .most = 1, .help = "chance of an image: f, or drawn from {lower, upper}" },
    { .name = "scale", .type = ARG_FLOATS, .fallback = "0.02,0.33", .least = 0, .most = 1, .help = "share of the image that is covered, {least, most}" },
    { .name = "fill_value", .type = ARG_FLOAT, .fallback = "nil", .help = "what covers; nil: noise" },
    AUGMENT_RANGE,
    AUGMENT_SEED,
};
static const LayerCase cases[] = {
    { .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
    { .args = "factor=0.5 scale=0.1,0.2 fill_value=0 value_range=0,1", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
};

/* Where a side of length n is covered: around a random middle, the part that is inside. */
static void cover(Rng *rng, const ArgValue *scale, int64_t n, int64_t *first, int64_t *end)
{
    const double *v = scale->u.floats.v;
    double most = v[scale->u.floats.n - 1], share = sqrt(v[0] + (most - v[0]) * rng_uniform(rng));
    int64_t length = (int64_t)(share * (double)n), middle = (int64_t)rng_below(rng, (uint64_t)n);
    *first = middle - length / 2 > 0 ? middle - length / 2 : 0;
    *end = middle + (length + 1) / 2 < n ? middle + (length + 1) / 2 : n;
}

static void augment(const Layer *layer, Rng *rng, Picture *picture)
{
    const ArgValue *v = layer->args.v;
    const double *f = v[FACTOR].u.floats.v, *range = v[RANGE].u.floats.v;
    double most = f[v[FACTOR].u.floats.n - 1], chance = v[FACTOR].u.floats.n == 1 ? f[0] : f[0] + (most - f[0]) * rng_uniform(rng);
    int64_t top, bottom, left, right;
    if (rng_uniform(rng) >= chance)
        return;
    cover(rng, &v[SCALE], picture->W, &left, &right);
    cover(rng, &v[SCALE], picture->H, &top, &bottom);
    for (int64_t i = top; i < bottom; i++)
        for (int64_t k = left * picture->C; k < right * picture->C; k++)
            picture->now[i * picture->W * picture->C + k] =
                (real)(v[FILL].given ? v[FILL].u.f : range[0] + (range[1] - range[0]) * rng_uniform(rng));
}

const LayerKind layer_randomerase = {
    .name = "RandomErasing",
    .prefix = "random_erasing",
    .doc = "While training, covers a rectangle of some images (cutout): its sides are the roots of shares of the image drawn from scale; chance\n"
           "and place are random.  Shapes: x [B, H, W, C] -> y the same.  Source: Zhong et al. 2020, DeVries and Taylor 2017.",
    .example = "local y = nn.augment(tensor.ones(1, 8, 8, 3), {nn.RandomErasing()}); assert(#y == 1)",
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
