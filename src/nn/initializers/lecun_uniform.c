// SPDX-License-Identifier: MIT
#include <math.h>

#include "nn/init.h"

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    (void)args, (void)fan_out;
    init_uniform(value, shape_count(shape), sqrt(3 / fan_in), rng);
}

const Initializer initializer_lecun_uniform = {
    .name = "lecun_uniform",
    .doc = "Uniform with variance 1 / fan_in: within sqrt(3 / fan_in).\n"
           "Source: LeCun et al. 1998.",
    .fill = fill,
};
