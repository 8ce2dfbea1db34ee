// SPDX-License-Identifier: MIT
#include "train/schedule.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"

#define ROW(name) extern const Schedule schedule_##name;
#include "gen/schedules.h"
#undef ROW

static const Schedule *const table[] = {
#define ROW(name) &schedule_##name,
#include "gen/schedules.h"
#undef ROW
    NULL,
};

const Schedule *schedule_at(int i)
{
    int n = (int)(sizeof table / sizeof *table) - 1;
    return i >= 0 && i < n ? table[i] : NULL;
}

static const char *name_at(int i)
{
    return table[i] ? table[i]->name : NULL;
}

const Schedule *schedule_find(const char *name, Err *err)
{
    int i = name_find(name_at, name, "schedule", err);
    return i < 0 ? NULL : table[i];
}

Rate *rate_new(const Schedule *schedule, const Args *args, Rate *after, Err *err)
{
    Rate trial = { .schedule = schedule, .args = *args, .after = after };
    if (!args_complete(args, schedule->name, err))
        return NULL;
    if (schedule->holds != (after != NULL)) {
        err_set(err, ERR_ARG, schedule->holds ? "%s wants another schedule, or a number, to stand before" : "%s holds no other schedule", schedule->name);
        return NULL;
    }
    Rate *rate = !schedule->check || schedule->check(&trial, err) ? mem_zero(1, sizeof *rate, err) : NULL;
    if (!rate)
        return NULL;
    *rate = trial;
    atomic_init(&rate->refs, 1);
    rate_ref(after);
    return rate;
}

Rate *rate_ref(Rate *rate)
{
    if (rate)
        atomic_fetch_add(&rate->refs, 1);
    return rate;
}

void rate_unref(Rate *rate)
{
    while (rate && atomic_fetch_sub(&rate->refs, 1) == 1) {
        Rate *after = rate->after;
        mem_free(rate);
        rate = after;
    }
}

double rate_at(const Rate *rate, int64_t step)
{
    return rate->schedule->value(rate, step);
}

double rate_momentum_at(const Rate *rate, int64_t step)
{
    return rate->schedule->momentum ? rate->schedule->momentum(rate, step) : (double)NAN;
}

double schedule_part(int64_t step, int64_t decay_steps, bool staircase)
{
    double part = (double)step / (double)decay_steps;
    return staircase ? floor(part) : part;
}
