// SPDX-License-Identifier: MIT
/* A hand-over of memory from the trainer to the recorder's thread, by one atomic number: the trainer fills (EMPTY or FULL -> FILLING ->
 * FULL), the recorder writes (FULL -> WRITING -> EMPTY). The memory belongs to whoever fills or writes; what is FULL and not yet written
 * may be filled anew. Zero is EMPTY. */
#ifndef TRAIN_HAND_H
#define TRAIN_HAND_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"

enum { HAND_EMPTY, HAND_FILLING, HAND_FULL, HAND_WRITING };

typedef struct Hand {
    _Atomic int at;
} Hand;

static inline bool hand_go(Hand *hand, int from, int to)
{
    return atomic_compare_exchange_strong(&hand->at, &from, to);
}

/* The trainer. anew: also what is not yet written. False: the last one waits to be written, or is being written. */
static inline bool hand_fill(Hand *hand, bool anew)
{
    return hand_go(hand, HAND_EMPTY, HAND_FILLING) || (anew && hand_go(hand, HAND_FULL, HAND_FILLING));
}

/* The same, anew; waits for so many seconds while the last one is being written. */
static inline bool hand_fill_within(Hand *hand, double seconds)
{
    double end = clock_now() + seconds;
    while (!hand_fill(hand, true)) {
        if (clock_now() >= end)
            return false;
        clock_sleep(0.002);
    }
    return true;
}

static inline void hand_give(Hand *hand)
{
    atomic_store(&hand->at, HAND_FULL);
}

/* The recorder. False: there is nothing to be written. */
static inline bool hand_take(Hand *hand)
{
    return hand_go(hand, HAND_FULL, HAND_WRITING);
}

/* It is written, or could not be filled. */
static inline void hand_clear(Hand *hand)
{
    atomic_store(&hand->at, HAND_EMPTY);
}

static inline bool hand_is(Hand *hand, int at)
{
    return atomic_load(&hand->at) == at;
}

#endif
