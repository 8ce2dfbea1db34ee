// SPDX-License-Identifier: MIT
/* Source: Loshchilov and Hutter 2017, as keras/src/optimizers/schedules/learning_rate_schedule.py computes it. */
#include <math.h>

#include "train/schedule.h"

enum { INITIAL, FIRST, T_MUL, M_MUL, ALPHA };

static const ArgSpec args[] = {
    { .name = "initial_learning_rate", .type = ARG_FLOAT, .least = 0, .most = 1e9, .help = "rate of the first update" },
    { .name = "first_decay_steps", .type = ARG_INT, .least = 1, .most = 1e15, .help = "updates of the first fall" },
    { .name = "t_mul", .type = ARG_FLOAT, .fallback = "2.0", .least = 1, .most = 1e6, .help = "each fall takes so many times longer than the one before" },
    { .name = "m_mul", .type = ARG_FLOAT, .fallback = "1.0", .least = 0, .most = 1e6, .help = "and begins so many times higher" },
    { .name = "alpha", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1, .help = "share of the rate that is left at each end" },
};

static double value(const Rate *rate, int64_t step)
{
    const ArgValue *v = rate->args.v;
    double t = v[T_MUL].u.f, alpha = v[ALPHA].u.f, done = (double)step / (double)v[FIRST].u.i, restarts;
    if (t == 1) {
        restarts = floor(done);
        done -= restarts;
    } else {
        restarts = floor(log(1 - done * (1 - t)) / log(t));
        done = (done - (1 - pow(t, restarts)) / (1 - t)) / pow(t, restarts);
    }
    double fall = 0.5 * pow(v[M_MUL].u.f, restarts) * (1 + cos(3.141592653589793 * done));
    return v[INITIAL].u.f * ((1 - alpha) * fall + alpha);
}

const Schedule schedule_cosine_decay_restarts = {
    .name = "cosine_decay_restarts",
    .doc = "nn.CosineDecayRestarts(initial_learning_rate, first_decay_steps, {t_mul = 2.0, m_mul = 1.0, alpha = 0}): the rate falls along\n"
           "half a cosine, again and again. Source: Loshchilov and Hutter 2017.",
    .example = "local s = nn.CosineDecayRestarts(0.1, 10); assert(s(0) == 0.1 and math.abs(s(5) - 0.05) < 1e-12 and math.abs(s(10) - 0.1) < 1e-12)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .value = value,
};
