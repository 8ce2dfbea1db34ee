// SPDX-License-Identifier: MIT
/* PyTorch's StepLR by updates, under the argument names of Keras's ExponentialDecay. */
#include <math.h>

#include "train/schedule.h"

enum { INITIAL, STEPS, RATE };

static const ArgSpec args[] = {
    { .name = "initial_learning_rate", .type = ARG_FLOAT, .least = 0, .most = 1e9, .help = "rate of the first update" },
    { .name = "decay_steps", .type = ARG_INT, .least = 1, .most = 1e15, .help = "updates from one fall to the next" },
    { .name = "decay_rate", .type = ARG_FLOAT, .fallback = "0.1", .least = 0, .most = 1e9, .help = "factor of each fall" },
};

static double value(const Rate *rate, int64_t step)
{
    const ArgValue *v = rate->args.v;
    return v[INITIAL].u.f * pow(v[RATE].u.f, schedule_part(step, v[STEPS].u.i, true));
}

const Schedule schedule_step_decay = {
    .name = "step_decay",
    .doc = "nn.StepDecay(initial_learning_rate, decay_steps, {decay_rate = 0.1}): initial * decay_rate^floor(step / decay_steps); PyTorch's\n"
           "StepLR, with steps counted in updates.",
    .example = "local s = nn.StepDecay(0.1, 10); assert(s(9) == 0.1 and math.abs(s(10) - 0.01) < 1e-12)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .value = value,
};
