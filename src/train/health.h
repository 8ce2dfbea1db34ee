// SPDX-License-Identifier: MIT
/* What a layer's values say of its health, and what to do about it. Pure functions. */
#ifndef TRAIN_HEALTH_H
#define TRAIN_HEALTH_H

#include "train/telemetry.h"
#include "tensor/tensor.h"

/* Mean, deviation, histogram, and (relu: true) the share of units of the last axis that are zero for the whole batch.
 * value [B, …, U] float32. dead_flags [U] is scratch. */
void health_measure(TeleLayer *row, const Tensor *value, bool relu, unsigned char *dead_flags);

/* Judge every row by what was measured; the worst one's remedy as one sentence in advice ("" when all are well). */
void health_judge(TeleLayers *layers);

#endif
