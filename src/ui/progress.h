// SPDX-License-Identifier: MIT
/* A run as lines of text, in Keras's spirit: one that rewrites itself, one an epoch, one an event, one at the end.
 * Pure functions of telemetry; any thread. No line ends with a newline. */
#ifndef UI_PROGRESS_H
#define UI_PROGRESS_H

#include "base/buf.h"
#include "train/telemetry.h"

/* "epoch  3/20   45/108 [=======>.......]  41,236/s  0:07 left  loss 0.0912  accuracy 98.4 %": what fits in `columns`;
 * parts give way from the right. unicode: a bar of ━ and ─. */
void progress_now(Buf *out, const TelePlan *plan, const TeleNow *now, int columns, bool unicode);

/* "epoch  3/20  1.2 s  loss 0.0912  accuracy 98.4 %  val_loss 0.1870  val_accuracy 97.3 %  lr 1e-3" */
void progress_epoch(Buf *out, const TelePlan *plan, const TeleNow *now, const Fact *fact);

/* "epoch 4, step 391: learning rate 1e-4" */
void progress_event(Buf *out, const Fact *fact);

/* "finished: 20 epochs in 0:12, seed 1234" */
void progress_end(Buf *out, const TelePlan *plan, const TeleNow *now);

#endif
