// SPDX-License-Identifier: MIT
#include "nn/init.h"

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    (void)fan_in, (void)fan_out;
    init_normal(value, shape_count(shape), args_float(args, "mean"), args_float(args, "stddev"), rng);
}

static const ArgSpec args[] = {
    { .name = "mean", .type = ARG_FLOAT, .fallback = "0", .least = -1e30, .most = 1e30, .help = "of the distribution" },
    { .name = "stddev", .type = ARG_FLOAT, .fallback = "0.05", .least = 0, .most = 1e30, .help = "standard deviation" },
};

const Initializer initializer_random_normal = {
    .name = "random_normal",
    .also = "normal",
    .doc = "Normal with this mean and standard deviation.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .fill = fill,
};
