// SPDX-License-Identifier: MIT
/* Gamma variates: Marsaglia and Tsang 2000. */
#include <math.h>

#include "nn/augment.h"

enum { ALPHA };

static const ArgSpec args[] = {
    { .name = "alpha", .type = ARG_FLOAT, .fallback = "0.2", .least = 0, .most = 1, .open_least = true, .help = "near 0 little is mixed; 1: every weight is as likely" },
    AUGMENT_SEED,
};
static const LayerCase cases[] = {
    { .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
    { .args = "alpha=1", .in = { { 4, { 3, 5, 6, 2 } } }, .n_in = 1 },
};

/* Gamma(a) for a <= 1: Gamma(a + 1) * u^(1/a). */
static double draw_gamma(Rng *rng, double a)
{
    double d = a + 1 - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = rng_normal(rng), v = 1 + c * x, u = 1 - rng_uniform(rng);
        v = v * v * v;
        if (v > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v * pow(1 - rng_uniform(rng), 1 / a);
    }
}

static double mix(const Layer *layer, Rng *rng)
{
    double alpha = layer->args.v[ALPHA].u.f, x = draw_gamma(rng, alpha), y = draw_gamma(rng, alpha);
    return x + y > 0 ? x / (x + y) : 1;
}

const LayerKind layer_mixup = {
    .name = "MixUp",
    .prefix = "mix_up",
    .doc = "While training, weight * image + (1 - weight) * another image of the batch; weight is drawn from Beta(alpha, alpha). In fit's augment\n"
           "the targets, one-hot rows or numbers, are mixed alike; within a model only images are.\n"
           "Shapes: x [B, H, W, C] -> y the same.  Source: Zhang et al. 2018.",
    .example = "local m = nn.Sequential{nn.Flatten{input_shape = {8, 8, 1}}, nn.Dense(10, {activation = 'softmax'})}\n"
               "  m:compile{optimizer = 'adam', loss = 'categorical_crossentropy'}; local d = data.digits():rows(1, 64)\n"
               "  m:fit(d.x, data.one_hot(d.y), {augment = nn.MixUp(0.2), verbose = 0, wait = true}); assert(m.built)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = augment_build,
    .forward = augment_forward,
    .mix = mix,
};
