// SPDX-License-Identifier: MIT
#include "train/schedule.h"

enum { LEARNING_RATE };

static const ArgSpec args[] = {
    { .name = "learning_rate", .type = ARG_FLOAT, .least = 0, .most = 1e9, .help = "the rate of every update" },
};

static double value(const Rate *rate, int64_t step)
{
    (void)step;
    return rate->args.v[LEARNING_RATE].u.f;
}

const Schedule schedule_constant = {
    .name = "constant",
    .doc = "nn.Constant(learning_rate): the same rate for every update; for nn.WarmUp to stand before.",
    .example = "assert(nn.Constant(0.1)(7) == 0.1)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .value = value,
};
