// SPDX-License-Identifier: MIT
/* The newest picture of one kind: made by one writer, held by any number of readers, never waited for by either. A picture is
 * one block; blocks are recycled when their last holder has given them back. */
#ifndef TRAIN_PICTURE_H
#define TRAIN_PICTURE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PICTURE_SLOTS 16 /* the newest, the one being made, and those that readers still hold */

typedef struct PictureSlot {
    _Atomic int64_t holders; /* 0: free; PICTURE_HELD is added while it is the newest or being made */
    void *block;             /* owned; a head, then what the writer fills */
    size_t room;             /* bytes that the writer may fill */
} PictureSlot;

typedef struct PictureShelf {
    /* slot number + 1 of the newest in the low 8 bits (0: none), above them how often it was taken since it was set */
    _Atomic uint64_t newest;
    PictureSlot slots[PICTURE_SLOTS];
} PictureShelf;

void picture_shelf_fini(PictureShelf *shelf); /* nobody holds anything any more */

/* Writer. `owner` comes back from picture_owner. NULL: no memory, or readers hold every slot. */
void *picture_new(PictureShelf *shelf, void *owner, size_t size);
void picture_set(PictureShelf *shelf, void *take);

/* Readers, any thread. */
const void *picture_get(PictureShelf *shelf);
void picture_put(const void *picture); /* give back */
void *picture_owner(const void *picture);

#endif
