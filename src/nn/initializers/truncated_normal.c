// SPDX-License-Identifier: MIT
#include "nn/init.h"

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    (void)fan_in, (void)fan_out;
    init_truncated(value, shape_count(shape), args_float(args, "stddev"), rng);
    for (int64_t i = 0; i < shape_count(shape); i++)
        value[i] = (real)(float)((double)value[i] + args_float(args, "mean"));
}

static const ArgSpec args[] = {
    { .name = "mean", .type = ARG_FLOAT, .fallback = "0", .least = -1e30, .most = 1e30, .help = "of the distribution" },
    { .name = "stddev", .type = ARG_FLOAT, .fallback = "0.05", .least = 0, .most = 1e30, .help = "standard deviation before the cut" },
};

const Initializer initializer_truncated_normal = {
    .name = "truncated_normal",
    .doc = "Normal with this mean and standard deviation; what lies beyond two deviations is drawn again.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .fill = fill,
};
