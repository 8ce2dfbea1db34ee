// SPDX-License-Identifier: MIT
#include "train/schedule.h"

enum { STEPS, START };

static const ArgSpec args[] = {
    { .name = "warmup_steps", .type = ARG_INT, .least = 1, .most = 1e15, .help = "updates that the rise takes" },
    { .name = "start", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1e9, .help = "rate of the first update" },
};

static double value(const Rate *rate, int64_t step)
{
    const ArgValue *v = rate->args.v;
    int64_t n = v[STEPS].u.i;
    if (step >= n)
        return rate_at(rate->after, step - n);
    return v[START].u.f + (rate_at(rate->after, 0) - v[START].u.f) * (double)step / (double)n;
}

static double momentum(const Rate *rate, int64_t step)
{
    int64_t n = rate->args.v[STEPS].u.i;
    return rate_momentum_at(rate->after, step > n ? step - n : 0);
}

const Schedule schedule_warm_up = {
    .name = "warm_up",
    .doc = "nn.WarmUp(schedule, warmup_steps, {start = 0}): a straight line from start to where another schedule (or a number) begins,\n"
           "then that schedule. nn.Adam(nn.WarmUp(nn.ExponentialDecay(0.01, 1000, 0.9), 100))",
    .example = "local s = nn.WarmUp(nn.StepDecay(0.1, 10), 4); assert(s(0) == 0 and s(2) == 0.05 and s(4) == 0.1 and math.abs(s(14) - 0.01) < 1e-12)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .holds = true,
    .momentum = momentum,
    .value = value,
};
