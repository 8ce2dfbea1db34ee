// SPDX-License-Identifier: MIT
#include "nn/init.h"

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    (void)args, (void)fan_in, (void)fan_out, (void)rng;
    for (int64_t i = 0; i < shape_count(shape); i++)
        value[i] = 0;
}

const Initializer initializer_zeros = { .name = "zeros", .doc = "All zeros.", .fill = fill };
