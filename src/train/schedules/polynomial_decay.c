// SPDX-License-Identifier: MIT
/* Source: keras/src/optimizers/schedules/learning_rate_schedule.py */
#include <math.h>

#include "train/schedule.h"

enum { INITIAL, STEPS, END, POWER, CYCLE };

static const ArgSpec args[] = {
    { .name = "initial_learning_rate", .type = ARG_FLOAT, .least = 0, .most = 1e9, .help = "rate of the first update" },
    { .name = "decay_steps", .type = ARG_INT, .least = 1, .most = 1e15, .help = "updates that the fall takes" },
    { .name = "end_learning_rate", .type = ARG_FLOAT, .fallback = "0.0001", .least = 0, .most = 1e9, .help = "rate at the end" },
    { .name = "power", .type = ARG_FLOAT, .fallback = "1.0", .least = 0, .most = 1e3, .help = "1: a straight line" },
    { .name = "cycle", .type = ARG_BOOL, .fallback = "false", .help = "start again, each time over a multiple of decay_steps" },
};

static double value(const Rate *rate, int64_t step)
{
    const ArgValue *v = rate->args.v;
    double length = (double)v[STEPS].u.i, done = (double)step;
    if (v[CYCLE].u.b)
        length *= step == 0 ? 1 : ceil(done / length);
    else if (done > length)
        done = length;
    return (v[INITIAL].u.f - v[END].u.f) * pow(1 - done / length, v[POWER].u.f) + v[END].u.f;
}

const Schedule schedule_polynomial_decay = {
    .name = "polynomial_decay",
    .doc = "nn.PolynomialDecay(initial_learning_rate, decay_steps, {end_learning_rate = 0.0001, power = 1.0, cycle = false}):\n"
           "(initial - end) * (1 - step / decay_steps)^power + end, then constant.",
    .example = "local s = nn.PolynomialDecay(0.1, 10, {end_learning_rate = 0}); assert(math.abs(s(5) - 0.05) < 1e-12 and s(99) == 0)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .value = value,
};
