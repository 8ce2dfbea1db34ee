// SPDX-License-Identifier: MIT
/* Small training runs in one line, for tests. What fails here fails the test with the engine's message. */
#ifndef LIB_RUNKIT_H
#define LIB_RUNKIT_H

#include "train/run.h"

/* "adam learning_rate=0.01", "mse", "accuracy" (NULL: no metric). */
void kit_compile(Model *model, const char *optimizer, const char *loss, const char *metric);

/* Gaussian blobs: n points of `width` numbers in `classes` classes, labels int32; the same for the same seed. */
void kit_blobs(Tensor *x, Tensor *y, int64_t n, int64_t width, int classes, uint64_t seed);
void kit_xor(Tensor *x, Tensor *y); /* four points, targets [4, 1] */

/* Options for x, y with autosave off. */
Samples kit_samples(const Tensor *x, const Tensor *y); /* borrowed */
void kit_train_batch(Model *model, const Tensor *x, const Tensor *y, double *logs);
FitOptions kit_options(const Tensor *x, const Tensor *y, int batch_size, int epochs);
Run *kit_fit(Model *model, FitOptions *options);

void kit_wait(Run *run); /* until it has ended or is in trouble; fails after 20 s */
void kit_until(Run *run, RunState state); /* until it is in this state; fails after 20 s */
void kit_at(Run *run, int64_t step);      /* until it is paused at this step */
void kit_step(Run *run, int64_t n);       /* n updates of a paused run, until it is paused again */
void kit_dense(Run *run);                 /* from now on a snapshot at every step */

/* Everything that training changes: weights, moving averages, slots, update count, as one number. At a boundary. */
uint64_t kit_hash(Run *run);
uint64_t kit_hash_model(Model *model); /* the same of a model that no run trains */
uint64_t kit_hash_saved(Run *run); /* the same of the numbers as files hold them, in float32 */
TeleNow kit_now(Run *run);

/* A run's end, and the model's: unref both. */
void kit_end(Run *run, Model *model);

#endif
