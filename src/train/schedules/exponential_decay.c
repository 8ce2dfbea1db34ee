// SPDX-License-Identifier: MIT
/* Source: keras/src/optimizers/schedules/learning_rate_schedule.py */
#include <math.h>

#include "train/schedule.h"

enum { INITIAL, STEPS, RATE, STAIRCASE };

static const ArgSpec args[] = {
    { .name = "initial_learning_rate", .type = ARG_FLOAT, .least = 0, .most = 1e9, .help = "rate of the first update" },
    { .name = "decay_steps", .type = ARG_INT, .least = 1, .most = 1e15, .help = "updates in which it falls by decay_rate" },
    { .name = "decay_rate", .type = ARG_FLOAT, .least = 0, .most = 1e9, .help = "factor for each decay_steps" },
    { .name = "staircase", .type = ARG_BOOL, .fallback = "false", .help = "fall once in decay_steps, not with every update" },
};

static double value(const Rate *rate, int64_t step)
{
    const ArgValue *v = rate->args.v;
    return v[INITIAL].u.f * pow(v[RATE].u.f, schedule_part(step, v[STEPS].u.i, v[STAIRCASE].u.b));
}

const Schedule schedule_exponential_decay = {
    .name = "exponential_decay",
    .doc = "nn.ExponentialDecay(initial_learning_rate, decay_steps, decay_rate, {staircase = false}): initial * decay_rate^(step / decay_steps).",
    .example = "local s = nn.ExponentialDecay(0.1, 10, 0.5); assert(s(0) == 0.1 and math.abs(s(20) - 0.025) < 1e-12)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .value = value,
};
