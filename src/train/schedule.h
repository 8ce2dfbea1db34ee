// SPDX-License-Identifier: MIT
/* Learning-rate schedules: one const record a file in train/schedules/. Pure functions of the number of updates done: nothing to
 * save but the arguments. Names, arguments and formulas are Keras's, or PyTorch's where only that has one.
 *
 * A Rate is a schedule with its arguments and, for one that stands before another (warm_up), the other. Counted, immutable; any
 * thread. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "base/arg.h"

typedef struct Rate Rate;

typedef struct Schedule {
    const char *name; /* "cosine_decay"; in Lua nn.CosineDecay */
    const char *doc, *example;
    const ArgSpec *args;
    int n_args;
    bool holds; /* another schedule stands behind it: Rate.after, in Lua the first argument */
    double (*value)(const Rate *rate, int64_t step); /* step counts updates from 0 */
    double (*momentum)(const Rate *rate, int64_t step); /* NULL, or the momentum (beta_1) to go with it; NaN: leave it */
    bool (*check)(const Rate *rate, Err *err); /* NULL, or what the rows cannot say */
} Schedule;

struct Rate {
    _Atomic int refs;
    const Schedule *schedule;
    Args args;
    Rate *after; /* reference; NULL where the schedule does not hold one */
};

const Schedule *schedule_find(const char *name, Err *err);
const Schedule *schedule_at(int i);

/* One reference; takes one of its own to `after`. Fails: ERR_ARG (arguments missing or contradicting, after missing), ERR_MEM. */
MUST_USE Rate *rate_new(const Schedule *schedule, const Args *args, Rate *after, Err *err);
Rate *rate_ref(Rate *rate);
void rate_unref(Rate *rate);
double rate_at(const Rate *rate, int64_t step);
double rate_momentum_at(const Rate *rate, int64_t step); /* NaN: the schedule has no say in it */

/* For value: share of decay_steps that is done, in whole steps when staircase. */
double schedule_part(int64_t step, int64_t decay_steps, bool staircase);

#endif
