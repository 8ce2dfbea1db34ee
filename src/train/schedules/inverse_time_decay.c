// SPDX-License-Identifier: MIT
/* Source: keras/src/optimizers/schedules/learning_rate_schedule.py */
#include "train/schedule.h"

enum { INITIAL, STEPS, RATE, STAIRCASE };

static const ArgSpec args[] = {
    { .name = "initial_learning_rate", .type = ARG_FLOAT, .least = 0, .most = 1e9, .help = "rate of the first update" },
    { .name = "decay_steps", .type = ARG_INT, .least = 1, .most = 1e15, .help = "the unit of time, in updates" },
    { .name = "decay_rate", .type = ARG_FLOAT, .least = 0, .most = 1e9, .help = "how much is added to the divisor for each decay_steps" },
    { .name = "staircase", .type = ARG_BOOL, .fallback = "false", .help = "fall once in decay_steps, not with every update" },
};

static double value(const Rate *rate, int64_t step)
{
    const ArgValue *v = rate->args.v;
    return v[INITIAL].u.f / (1 + v[RATE].u.f * schedule_part(step, v[STEPS].u.i, v[STAIRCASE].u.b));
}

const Schedule schedule_inverse_time_decay = {
    .name = "inverse_time_decay",
    .doc = "nn.InverseTimeDecay(initial_learning_rate, decay_steps, decay_rate, {staircase = false}):\n"
           "initial / (1 + decay_rate * step / decay_steps).",
    .example = "local s = nn.InverseTimeDecay(0.1, 10, 1); assert(s(0) == 0.1 and math.abs(s(10) - 0.05) < 1e-12)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .value = value,
};
