// SPDX-License-Identifier: MIT
/* Augmented images of the next batch, made while the present one trains: a thread of its own turns bytes into changed images row by
 * row; a trainer that comes before it is done has the pool help with the rest. What a row becomes depends on (seed, row, epoch) alone,
 * so the bits are the same for any number of threads, and a position in the data that nobody expected (rewind) is made on the spot.
 * With one thread in all there is no thread of its own. Allocates at its start only. One caller: the run's trainer. */
#ifndef TRAIN_AHEAD_H
#define TRAIN_AHEAD_H

#include "nn/augment.h"

typedef struct Ahead Ahead;

/* x [N, H, W, C] uint8 or float32, and layers that passed augment_check: references are taken. Fails: ERR_MEM, ERR_IO (no thread). */
MUST_USE Ahead *ahead_new(const Tensor *x, Layer *const *layers, int n_layers, int64_t batch_size, uint64_t seed, Err *err);
void ahead_free(Ahead *ahead);

/* The images of batch `index` of an epoch, [n, H, W, C], n <= batch_size, rows [n]; they live until the next ahead_take. */
real *ahead_take(Ahead *ahead, int epoch, int64_t index, const int64_t *rows, int64_t n);

/* Begin with a batch that will be taken next, most likely; rows are copied. */
void ahead_begin(Ahead *ahead, int epoch, int64_t index, const int64_t *rows, int64_t n);

#endif
