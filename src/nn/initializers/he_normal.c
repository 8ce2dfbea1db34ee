// SPDX-License-Identifier: MIT
#include <math.h>

#include "nn/init.h"

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    (void)args, (void)fan_out;
    init_truncated(value, shape_count(shape), sqrt(2 / fan_in) / INIT_TRUNCATED, rng);
}

const Initializer initializer_he_normal = {
    .name = "he_normal",
    .doc = "Normal with variance 2 / fan_in, cut at two deviations; for relu layers.\n"
           "Source: He et al. 2015, eq. 10.",
    .fill = fill,
};
