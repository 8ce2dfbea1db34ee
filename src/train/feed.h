// SPDX-License-Identifier: MIT
/* Rows of the training data as batches: in an order that depends on (seed, epoch) alone, so that a position in the data is a
 * number. Bytes become floats here. Allocates at its start only. One thread: the run's trainer. */
#ifndef TRAIN_FEED_H
#define TRAIN_FEED_H

#include "train/ahead.h"
#include "train/step.h"

typedef struct Feed {
    Samples all;      /* references, all rows; as samples_fit made them */
    int64_t first, n; /* rows used: first … first+n-1 */
    int64_t batch_size;
    bool shuffle;
    uint64_t seed;
    int epoch;        /* that `order` is of; -1: none */
    int64_t *order;   /* owned [n] */
    Samples room;     /* owned: room for one batch */
    Layer *layers[AUGMENT_MOST]; /* references: what changes the first input */
    int n_layers;
    Ahead *ahead;     /* owned: makes it; NULL: nothing does */
    Samples mixed;    /* owned: room for a batch whose first input and targets are mixed; n_x 0: they are not */
    int64_t *partner; /* owned [batch_size], for mixing, as */
    real *share;      /* owned [batch_size] */
} Feed;

/* Takes references. Fails: ERR_MEM. */
MUST_USE bool feed_init(Feed *feed, const Samples *all, int64_t first, int64_t n, int64_t batch_size, bool shuffle, uint64_t seed, Err *err);

/* Change the first input's images by these layers on their way into a batch (references are taken); mixing changes targets too. Fails:
 * as augment_check; ERR_ARG for images of int32, and for mixing where targets are class numbers; ERR_MEM, ERR_IO. */
MUST_USE bool feed_augment(Feed *feed, Layer *const *layers, int n, Err *err);
void feed_fini(Feed *feed);
int64_t feed_batches(const Feed *feed); /* the last one may be smaller */

/* Batch `index` (from 0) of an epoch (from 0); what the feed has no inputs or outputs for stays as it is. */
void feed_take(Feed *feed, int epoch, int64_t index, Batch *out);

#endif
