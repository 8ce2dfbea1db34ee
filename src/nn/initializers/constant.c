// SPDX-License-Identifier: MIT
#include "nn/init.h"

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    (void)fan_in, (void)fan_out, (void)rng;
    real number = (real)(float)args_float(args, "value");
    for (int64_t i = 0; i < shape_count(shape); i++)
        value[i] = number;
}

static const ArgSpec args[] = {
    { .name = "value", .type = ARG_FLOAT, .fallback = "0", .least = -1e30, .most = 1e30, .help = "the value of every weight" },
};

const Initializer initializer_constant = {
    .name = "constant",
    .doc = "The same value everywhere: constant(0.1).",
    .args = args,
    .n_args = 1,
    .fill = fill,
};
