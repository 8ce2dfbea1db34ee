// SPDX-License-Identifier: MIT
/* Source: keras/src/optimizers/schedules/learning_rate_schedule.py: a boundary itself still belongs to the rate before it. */
#include "train/schedule.h"

enum { BOUNDARIES, VALUES };

static const ArgSpec args[] = {
    { .name = "boundaries", .type = ARG_INTS, .least = 0, .most = 1e15, .help = "last updates of each rate, rising" },
    { .name = "values", .type = ARG_FLOATS, .least = 0, .most = 1e9, .help = "the rates: one more than boundaries" },
};

static double value(const Rate *rate, int64_t step)
{
    const ArgValue *v = rate->args.v;
    int i = 0;
    while (i < v[BOUNDARIES].u.ints.n && step > v[BOUNDARIES].u.ints.v[i])
        i++;
    return v[VALUES].u.floats.v[i];
}

static bool check(const Rate *rate, Err *err)
{
    const ArgValue *v = rate->args.v;
    int n = v[BOUNDARIES].u.ints.n;
    if (v[VALUES].u.floats.n != n + 1)
        return err_set(err, ERR_ARG, "PiecewiseConstantDecay: %d boundaries want %d values, got %d", n, n + 1, v[VALUES].u.floats.n);
    for (int i = 1; i < n; i++)
        if (v[BOUNDARIES].u.ints.v[i] <= v[BOUNDARIES].u.ints.v[i - 1])
            return err_set(err, ERR_ARG, "PiecewiseConstantDecay: boundaries must rise, got %lld after %lld",
                           (long long)v[BOUNDARIES].u.ints.v[i], (long long)v[BOUNDARIES].u.ints.v[i - 1]);
    return true;
}

const Schedule schedule_piecewise_constant_decay = {
    .name = "piecewise_constant_decay",
    .doc = "nn.PiecewiseConstantDecay(boundaries, values): values[1] up to step boundaries[1], values[2] up to boundaries[2], and so on.",
    .example = "local s = nn.PiecewiseConstantDecay({10, 20}, {1, 0.5, 0.1}); assert(s(10) == 1 and s(11) == 0.5 and s(99) == 0.1)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .check = check,
    .value = value,
};
