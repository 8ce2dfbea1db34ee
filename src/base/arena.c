// SPDX-License-Identifier: MIT
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define BLOCK_LEAST ((size_t)1 << 16)

struct ArenaBlock {
    ArenaBlock *next;
    size_t size; /* bytes of data */
    char *data;  /* owned, aligned */
};

void arena_init(Arena *arena)
{
    memset(arena, 0, sizeof *arena);
}

void arena_fini(Arena *arena)
{
    for (ArenaBlock *block = arena->first, *next; block; block = next) {
        next = block->next;
        UNPOISON(block->data, block->size);
        mem_free(block->data);
        mem_free(block);
    }
    arena_init(arena);
}

static ArenaBlock *block_new(size_t size, Err *err)
{
    ArenaBlock *block = mem_zero(1, sizeof *block, err);
    if (!block)
        return NULL;
    block->size = size;
    block->data = mem_alloc(size, 1, err);
    if (!block->data) {
        mem_free(block);
        return NULL;
    }
    POISON(block->data, size);
    return block;
}

/* The next block that can hold size bytes: one kept from an earlier round, or a new one put in front of those. */
static bool advance(Arena *arena, size_t size, Err *err)
{
    ArenaBlock *next = arena->current ? arena->current->next : arena->first;
    if (!next || next->size < size) {
        size_t grown = arena->current ? 2 * arena->current->size : BLOCK_LEAST;
        ArenaBlock *block = block_new(size > grown ? size : grown, err);
        if (!block)
            return false;
        block->next = next;
        if (arena->current)
            arena->current->next = block;
        else
            arena->first = block;
        next = block;
    }
    arena->current = next;
    arena->used = 0;
    return true;
}

void *arena_alloc(Arena *arena, size_t size, Err *err)
{
    if (size > SIZE_MAX / 4) {
        err_set(err, ERR_MEM, "%zu bytes are more than memory can hold", size);
        return NULL;
    }
    size = (size + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN;
    if ((!arena->current || size > arena->current->size - arena->used) && !advance(arena, size, err))
        return NULL;
    char *out = arena->current->data + arena->used;
    arena->used += size;
    arena->total += size;
    UNPOISON(out, size);
    return out;
}

void *arena_zero(Arena *arena, size_t size, Err *err)
{
    void *out = arena_alloc(arena, size, err);
    return out ? memset(out, 0, size) : NULL;
}

ArenaMark arena_mark(const Arena *arena)
{
    return (ArenaMark){ arena->current, arena->used, arena->total };
}

void arena_rewind(Arena *arena, ArenaMark mark)
{
    for (ArenaBlock *block = mark.block ? mark.block->next : arena->first; block; block = block->next)
        POISON(block->data, block->size);
    if (mark.block)
        POISON(mark.block->data + mark.used, mark.block->size - mark.used);
    arena->current = mark.block;
    arena->used = mark.used;
    arena->total = mark.total;
}

void arena_reset(Arena *arena)
{
    arena_rewind(arena, (ArenaMark){ 0 });
}
