// SPDX-License-Identifier: MIT
#include <math.h>

#include "nn/init.h"

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    (void)args, (void)fan_out;
    init_uniform(value, shape_count(shape), sqrt(6 / fan_in), rng);
}

const Initializer initializer_he_uniform = {
    .name = "he_uniform",
    .doc = "Uniform within sqrt(6 / fan_in); keeps the variance of relu layers.\n"
           "Source: He et al. 2015, eq. 10.",
    .fill = fill,
};
