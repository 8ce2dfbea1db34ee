// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "nn/init.h"

static const char *const modes[] = { "fan_in", "fan_out", "fan_avg", NULL };
static const char *const distributions[] = { "uniform", "truncated_normal", "untruncated_normal", NULL };
static void fill(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng)
{
    double fan = (fan_in + fan_out) / 2, variance;
    const char *mode = args_choice(args, "mode"), *distribution = args_choice(args, "distribution");
    if (strcmp(mode, "fan_avg"))
        fan = !strcmp(mode, "fan_in") ? fan_in : fan_out;
    variance = args_float(args, "scale") / fan;
    if (!strcmp(distribution, "uniform"))
        init_uniform(value, shape_count(shape), sqrt(3 * variance), rng);
    else if (!strcmp(distribution, "untruncated_normal"))
        init_normal(value, shape_count(shape), 0, sqrt(variance), rng);
    else
        init_truncated(value, shape_count(shape), sqrt(variance) / INIT_TRUNCATED, rng);
}

static const ArgSpec args[] = {
    { .name = "scale", .type = ARG_FLOAT, .fallback = "1", .least = 0, .most = 1e30, .open_least = true, .help = "variance times the fan" },
    { .name = "mode", .type = ARG_CHOICE, .fallback = "fan_in", .choices = modes, .help = "which fan" },
    { .name = "distribution", .type = ARG_CHOICE, .fallback = "truncated_normal", .choices = distributions, .help = "what is drawn from" },
};

const Initializer initializer_variance_scaling = {
    .name = "variance_scaling",
    .doc = "Variance scale / n, n the fan of this mode (fan_avg: their mean), from a distribution that is named: what glorot, he and\n"
           "lecun are made of. truncated_normal is cut at two deviations and widened so that the variance holds.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .fill = fill,
};
