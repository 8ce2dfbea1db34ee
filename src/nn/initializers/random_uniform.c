// SPDX-License-Identifier: MIT
#include "nn/init.h"

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    (void)fan_in, (void)fan_out;
    double low = args_float(args, "minval"), high = args_float(args, "maxval");
    for (int64_t i = 0; i < shape_count(shape); i++)
        value[i] = (real)(float)(low + rng_uniform(rng) * (high - low));
}

static const ArgSpec args[] = {
    { .name = "minval", .type = ARG_FLOAT, .fallback = "-0.05", .least = -1e30, .most = 1e30, .help = "the smallest" },
    { .name = "maxval", .type = ARG_FLOAT, .fallback = "0.05", .least = -1e30, .most = 1e30, .help = "the largest, not reached itself" },
};

const Initializer initializer_random_uniform = {
    .name = "random_uniform",
    .also = "uniform",
    .doc = "Uniform between minval and maxval.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .fill = fill,
};
