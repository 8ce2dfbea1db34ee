// SPDX-License-Identifier: MIT
#include <math.h>

#include "nn/init.h"

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    (void)args, (void)fan_out;
    init_truncated(value, shape_count(shape), sqrt(1 / fan_in) / INIT_TRUNCATED, rng);
}

const Initializer initializer_lecun_normal = {
    .name = "lecun_normal",
    .doc = "Normal with variance 1 / fan_in, cut at two deviations; for selu.\n"
           "Source: LeCun et al. 1998.",
    .fill = fill,
};
