// SPDX-License-Identifier: MIT
#include "nn/init.h"

static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    (void)fan_in, (void)fan_out, (void)rng;
    real gain = (real)(float)args_float(args, "gain");
    for (int64_t i = 0; i < shape->d[0]; i++)
        for (int64_t j = 0; j < shape->d[1]; j++)
            value[i * shape->d[1] + j] = i == j ? gain : 0;
}

static const ArgSpec args[] = {
    { .name = "gain", .type = ARG_FLOAT, .fallback = "1", .least = -1e30, .most = 1e30, .help = "the numbers on the diagonal" },
};

const Initializer initializer_identity = {
    .name = "identity",
    .doc = "gain on the diagonal, else 0: the layer starts by handing on what it gets.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .rank_least = 2,
    .rank_most = 2,
    .fill = fill,
};
