// SPDX-License-Identifier: MIT
/* The arithmetic of Adam, for its kinds: arguments beta_1, beta_2, epsilon, amsgrad by name; slots momentum, velocity, velocity_hat. */
#ifndef TRAIN_ADAMMATH_H
#define TRAIN_ADAMMATH_H

#include "train/optimizer.h"

unsigned adam_slots(const Args *args);
void adam_begin(Update *u);
void adam_step(const Update *u, real *restrict w, const real *restrict g, real *const *s, size_t n);

#endif
