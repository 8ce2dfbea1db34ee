// SPDX-License-Identifier: MIT
/* Half a cosine from the initial rate (or, after a linear warm-up, from its target) down to alpha times it, over decay_steps;
 * then constant. Source: Loshchilov and Hutter 2017, without restarts; Keras's CosineDecay. */
#include <math.h>

#include "train/schedule.h"

enum { INITIAL, STEPS, ALPHA, TARGET, WARMUP };

static const ArgSpec args[] = {
    { .name = "initial_learning_rate", .type = ARG_FLOAT, .least = 0, .most = 1e9, .help = "rate of the first update" },
    { .name = "decay_steps", .type = ARG_INT, .least = 1, .most = 1e15, .help = "updates that the fall takes" },
    { .name = "alpha", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1, .help = "share of the rate that is left at the end" },
    { .name = "warmup_target", .type = ARG_FLOAT, .fallback = "nil", .least = 0, .most = 1e9, .help = "rate at the end of the warm-up; nil: no warm-up" },
    { .name = "warmup_steps", .type = ARG_INT, .fallback = "0", .least = 0, .most = 1e15, .help = "updates that the warm-up takes" },
};

static double value(const Rate *rate, int64_t step)
{
    const ArgValue *v = rate->args.v;
    double start = v[INITIAL].u.f, alpha = v[ALPHA].u.f, top = v[TARGET].given ? v[TARGET].u.f : start;
    int64_t n = v[STEPS].u.i, warmup = v[TARGET].given ? v[WARMUP].u.i : 0;
    if (step < warmup)
        return start + (top - start) * (double)step / (double)warmup;
    int64_t done = step - warmup < n ? step - warmup : n;
    double fall = 0.5 * (1 + cos(3.141592653589793 * (double)done / (double)n));
    return top * ((1 - alpha) * fall + alpha);
}

const Schedule schedule_cosine_decay = {
    .name = "cosine_decay",
    .doc = "nn.CosineDecay(initial_learning_rate, decay_steps, {alpha = 0, warmup_target = nil, warmup_steps = 0}): the rate falls along\n"
           "half a cosine. Source: Loshchilov and Hutter 2017.",
    .example = "local s = nn.CosineDecay(0.1, 100); assert(s(0) == 0.1 and math.abs(s(50) - 0.05) < 1e-12 and s(100) < 1e-12)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .value = value,
};
