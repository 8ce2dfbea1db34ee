// SPDX-License-Identifier: MIT
/* Normal noise for ops that disturb their input while training: the same numbers for a call's seed and step, whatever the number
 * of threads. */
#ifndef AUTOGRAD_NOISE_H
#define AUTOGRAD_NOISE_H

#include "autograd/op.h"

/* y[i] = x[i] + deviation * z[i], or with `times` y[i] = x[i] * (1 + deviation * z[i]), z normal; factor (may be NULL) [n]: what x
 * was multiplied by. */
void noise_apply(const OpCall *call, double deviation, bool times, real *factor);

#endif
