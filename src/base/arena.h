// SPDX-License-Identifier: MIT
/* An arena hands out memory that is taken back all at once. Memory of an arena is never freed singly; its blocks are kept
 * over a reset, so that the second training step allocates nothing. One thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/err.h"

typedef struct ArenaBlock ArenaBlock;

typedef struct Arena {
    ArenaBlock *first, *current; /* owned */
    size_t used;                 /* bytes of `current` handed out */
    size_t total;                /* bytes handed out since the last reset */
} Arena;

typedef struct ArenaMark {
    ArenaBlock *block;
    size_t used, total;
} ArenaMark;

void arena_init(Arena *arena);
void arena_fini(Arena *arena);

/* size bytes aligned to 64, not cleared. Fails: ERR_MEM. */
MUST_USE void *arena_alloc(Arena *arena, size_t size, Err *err);
MUST_USE void *arena_zero(Arena *arena, size_t size, Err *err);

/* Take back what was handed out after the mark. The memory is kept; sanitizer builds poison it. */
ArenaMark arena_mark(const Arena *arena);
void arena_rewind(Arena *arena, ArenaMark mark);
void arena_reset(Arena *arena);

#endif
