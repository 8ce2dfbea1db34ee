// SPDX-License-Identifier: MIT
/* Source: Smith and Topin 2018, with the arithmetic of PyTorch's OneCycleLR (torch/optim/lr_scheduler.py): phases end at
 * pct_start * total_steps - 1 (three_phase: twice that less one) and total_steps - 1; after them the last value stays, where PyTorch
 * refuses to go on. Momentum, or beta_1, moves the other way. */
#include <math.h>

#include "train/schedule.h"

enum { MAX_LR, TOTAL, PCT, ANNEAL, CYCLE, BASE, MAX_MOMENTUM, DIV, FINAL_DIV, THREE };

static const char *const strategies[] = { "cos", "linear", NULL };

static const ArgSpec args[] = {
    { .name = "max_learning_rate", .type = ARG_FLOAT, .least = 0, .most = 1e9, .help = "the peak" },
    { .name = "total_steps", .type = ARG_INT, .least = 2, .most = 1e15, .help = "updates of the whole cycle" },
    { .name = "pct_start", .type = ARG_FLOAT, .fallback = "0.3", .least = 0, .most = 1, .open_most = true, .help = "share of them that rises" },
    { .name = "anneal_strategy", .type = ARG_CHOICE, .fallback = "cos", .choices = strategies, .help = "along half a cosine or a line" },
    { .name = "cycle_momentum", .type = ARG_BOOL, .fallback = "true", .help = "move momentum (beta_1) against the rate, where the optimizer has one" },
    { .name = "base_momentum", .type = ARG_FLOAT, .fallback = "0.85", .least = 0, .most = 1, .open_most = true, .help = "momentum at the peak" },
    { .name = "max_momentum", .type = ARG_FLOAT, .fallback = "0.95", .least = 0, .most = 1, .open_most = true, .help = "momentum at both ends" },
    { .name = "div_factor", .type = ARG_FLOAT, .fallback = "25", .least = 0, .most = 1e30, .open_least = true, .help = "the first rate is max / div_factor" },
    { .name = "final_div_factor", .type = ARG_FLOAT, .fallback = "10000", .least = 0, .most = 1e30, .open_least = true, .help = "the last is the first / final_div_factor" },
    { .name = "three_phase", .type = ARG_BOOL, .fallback = "false", .help = "fall to the first rate as fast as it rose, then on to the last" },
};

static double between(const ArgValue *v, double from, double to, double part)
{
    return v[ANNEAL].u.i == 0 ? to + (from - to) / 2 * (1 + cos(3.141592653589793 * part)) : (to - from) * part + from;
}

/* Along low, high, then middle (three phases only), end. */
static double along(const Rate *rate, int64_t step, double low, double high, double middle, double end)
{
    const ArgValue *v = rate->args.v;
    double total = (double)v[TOTAL].u.i, at = (double)step, rise = v[PCT].u.f * total - 1, last = total - 1;
    if (at > last)
        at = last;
    if (at <= rise)
        return between(v, low, high, rise > 0 ? at / rise : 1);
    if (!v[THREE].u.b)
        return between(v, high, end, (at - rise) / (last - rise));
    double fall = 2 * v[PCT].u.f * total - 2;
    if (at <= fall)
        return between(v, high, middle, (at - rise) / (fall - rise));
    return between(v, middle, end, (at - fall) / (last - fall));
}

static double value(const Rate *rate, int64_t step)
{
    const ArgValue *v = rate->args.v;
    double most = v[MAX_LR].u.f, first = most / v[DIV].u.f;
    return along(rate, step, first, most, first, first / v[FINAL_DIV].u.f);
}

static double momentum(const Rate *rate, int64_t step)
{
    const ArgValue *v = rate->args.v;
    double base = v[BASE].u.f, most = v[MAX_MOMENTUM].u.f;
    return v[CYCLE].u.b ? along(rate, step, most, base, most, most) : (double)NAN;
}

static bool check(const Rate *rate, Err *err)
{
    const ArgValue *v = rate->args.v;
    if (v[THREE].u.b && 2 * v[PCT].u.f * (double)v[TOTAL].u.i - 2 >= (double)v[TOTAL].u.i - 1)
        return err_set(err, ERR_ARG, "OneCycle: with three_phase the rise and the fall take 2 * pct_start of the steps; pct_start = %g leaves nothing",
                       v[PCT].u.f);
    return true;
}

const Schedule schedule_one_cycle = {
    .name = "one_cycle",
    .doc = "nn.OneCycle(max_learning_rate, total_steps, {pct_start = 0.3, anneal_strategy = \"cos\", cycle_momentum = true, …}): up to a peak and\n"
           "down far below the start, momentum the other way; PyTorch's OneCycleLR. Source: Smith and Topin 2018.",
    .example = "local s = nn.OneCycle(0.1, 100); assert(math.abs(s(0) - 0.004) < 1e-12 and math.abs(s(29) - 0.1) < 1e-12)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .momentum = momentum,
    .check = check,
    .value = value,
};
