// SPDX-License-Identifier: MIT
/* Blocks of up to HEAP_SMALL bytes come from size classes of HEAP_GRAIN bytes. Freed cells go to their class's list and are
 * never returned before heap_fini. The address sanitizer would not see a fault inside a chunk, so under it every block is
 * a block of mem.h. */
#include "script/heap.h"

#include <string.h>

#include "base/mem.h"

#define CHUNK ((size_t)32 * 1024)

#if defined(__SANITIZE_ADDRESS__)
#define IS_SMALL(size) ((void)(size), false)
#else
#define IS_SMALL(size) ((size) <= HEAP_SMALL)
#endif

static size_t class_of(size_t size)
{
    return (size + HEAP_GRAIN - 1) / HEAP_GRAIN - 1;
}

static void *cut(Heap *heap, size_t size)
{
    if ((size_t)(heap->end - heap->next) < size) {
        HeapCell *chunk = mem_alloc(1, CHUNK, NULL);
        if (!chunk)
            return NULL;
        chunk->next = heap->chunks;
        heap->chunks = chunk;
        heap->next = (char *)chunk + HEAP_GRAIN; /* the rest of an old chunk is given up: less than one cell of each class */
        heap->end = (char *)chunk + CHUNK;
    }
    void *cell = heap->next;
    heap->next += size;
    return cell;
}

static void *take(Heap *heap, size_t size)
{
    if (!IS_SMALL(size))
        return mem_alloc(1, size, NULL);
    size_t class = class_of(size);
    HeapCell *cell = heap->free[class];
    if (!cell)
        return cut(heap, (class + 1) * HEAP_GRAIN);
    heap->free[class] = cell->next;
    return cell;
}

static void give(Heap *heap, void *block, size_t size)
{
    if (!IS_SMALL(size)) {
        mem_free(block);
        return;
    }
    HeapCell *cell = block;
    cell->next = heap->free[class_of(size)];
    heap->free[class_of(size)] = cell;
}

void *heap_resize(void *ud, void *block, size_t old_size, size_t new_size)
{
    Heap *heap = ud;
    void *moved = NULL;
    if (!block)
        old_size = 0; /* Lua passes the kind of object here */
    if (new_size && block && IS_SMALL(old_size) && IS_SMALL(new_size) && class_of(old_size) == class_of(new_size)) {
        moved = block;
    } else if (new_size) {
        moved = take(heap, new_size);
        if (!moved)
            return NULL;
        if (block)
            memcpy(moved, block, old_size < new_size ? old_size : new_size);
    }
    if (block && moved != block && old_size)
        give(heap, block, old_size);
    heap->bytes += new_size - old_size;
    return moved;
}

void heap_fini(Heap *heap)
{
    while (heap->chunks) {
        HeapCell *chunk = heap->chunks;
        heap->chunks = chunk->next;
        mem_free(chunk);
    }
    *heap = (Heap){ 0 };
}
