// SPDX-License-Identifier: MIT
/* What hangs on a compiled model: Compiled with the tape that steps without a run use (alone.c). Only for train/. */
#ifndef TRAIN_ALONE_H
#define TRAIN_ALONE_H

#include "train/step.h"

typedef struct Home {
    Compiled compiled;
    Tape tape;
} Home;

#endif
