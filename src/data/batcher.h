// SPDX-License-Identifier: MIT
/* Batches of a dataset's rows, epoch after epoch. The order of an epoch is a permutation made from (seed, epoch) alone, so
 * that where a training stands is two numbers, epoch and step; from them it goes on exactly as if it had never stopped.
 * After batcher_new nothing is allocated and nothing fails. The caller owns the room for a batch; bytes become floats on
 * their way into it. One thread at a time; a Batcher holds one reference to its dataset. */
#ifndef DATA_BATCHER_H
#define DATA_BATCHER_H

#include "data/dataset.h"

typedef struct BatchOptions {
    int64_t batch_size; /* 1 … */
    bool shuffle;
    bool drop_last; /* leave out the last batch of an epoch when it is not full */
    uint64_t seed;
} BatchOptions;

typedef struct Batcher {
    Dataset *set; /* reference */
    BatchOptions options;
    int64_t n, steps;     /* rows of the set; batches an epoch */
    int64_t epoch, step;  /* from 1; batches of this epoch that were given */
    int64_t *order;       /* owned [n]: the rows of this epoch */
} Batcher;

/* Stands before the first step of epoch 1. Fails: ERR_ARG for a batch size below 1 or no full batch with drop_last, ERR_DATA for a
 * set without rows, ERR_MEM. */
MUST_USE Batcher *batcher_new(Dataset *set, const BatchOptions *options, Err *err);
void batcher_free(Batcher *batcher);

/* Go to where `step` batches (0 … steps) of an epoch (from 1) have been given. */
void batcher_seek(Batcher *batcher, int64_t epoch, int64_t step);

/* The shapes and types of a full batch: x [batch_size, …] float32 (int32 stays int32: tokens), y likewise; no y: rank 0. */
void batcher_shapes(const Batcher *batcher, Shape *x, DType *x_type, Shape *y, DType *y_type);

/* Whether these may be given to batcher_next: data, type and room of at least a full batch. y NULL: not wanted.
 * float32 takes every type, int32 takes int32 and uint8. Fails: ERR_SHAPE, ERR_ARG. */
MUST_USE bool batcher_check(const Batcher *batcher, const Tensor *x, const Tensor *y, Err *err);

/* The next batch into x and y (NULL: not wanted), whose first sizes are set to its rows. Returns them; 0 at the end of the
 * epoch: seek the next one. */
int64_t batcher_next(Batcher *batcher, Tensor *x, Tensor *y);

/* Which rows of the set the last batch held (for weights of samples, for what is shown). */
const int64_t *batcher_rows(const Batcher *batcher, int64_t *n);

/* Rows of a tensor by number, converted, into `out` [n, …], which passed batcher_check or the like. */
void batcher_gather(Tensor *out, const Tensor *from, const int64_t *rows, int64_t n);

#endif
