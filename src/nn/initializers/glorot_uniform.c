// SPDX-License-Identifier: MIT
#include <math.h>

#include "nn/init.h"

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    (void)args;
    init_uniform(value, shape_count(shape), sqrt(6 / (fan_in + fan_out)), rng);
}

const Initializer initializer_glorot_uniform = {
    .name = "glorot_uniform",
    .doc = "Uniform within sqrt(6 / (fan_in + fan_out)); keeps the variance of tanh and linear layers.\n"
           "Source: Glorot and Bengio 2010, eq. 16.",
    .fill = fill,
};
