// SPDX-License-Identifier: MIT
/* Learning-rate schedules: one const record a file in train/schedules/. Pure functions of the number of updates done: nothing to
 * save but the arguments. Names, arguments and formulas are Keras's. Any thread. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "base/arg.h"

typedef struct Schedule {
    const char *name; /* "cosine_decay"; in Lua nn.CosineDecay */
    const char *doc, *example;
    const ArgSpec *args;
    int n_args;
    double (*value)(const Args *args, int64_t step); /* step counts updates from 0 */
} Schedule;

const Schedule *schedule_find(const char *name, Err *err);
const Schedule *schedule_at(int i);

#endif
