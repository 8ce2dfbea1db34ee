// SPDX-License-Identifier: MIT
#include <math.h>

#include "nn/init.h"

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    (void)args;
    init_truncated(value, shape_count(shape), sqrt(2 / (fan_in + fan_out)) / INIT_TRUNCATED, rng);
}

const Initializer initializer_glorot_normal = {
    .name = "glorot_normal",
    .doc = "Normal with variance 2 / (fan_in + fan_out), cut at two deviations; for tanh and linear layers.\n"
           "Source: Glorot and Bengio 2010, eq. 12.",
    .fill = fill,
};
