// SPDX-License-Identifier: MIT
/* Lua's allocator over base/mem.h. Lua asks for very many very small blocks; mem.h gives blocks of whole cache lines with
 * a header, so small sizes are cut from chunks here and kept in free lists. One thread: the owner of the lua_State. */
#ifndef SCRIPT_HEAP_H
#define SCRIPT_HEAP_H

#include <stddef.h>

#define HEAP_GRAIN 16
#define HEAP_SMALL 256 /* larger blocks go straight to mem.h */

typedef struct HeapCell {
    struct HeapCell *next;
} HeapCell;

typedef struct Heap {
    HeapCell *chunks;                        /* owned; returned together by heap_fini */
    HeapCell *free[HEAP_SMALL / HEAP_GRAIN]; /* by size class */
    char *next, *end;                        /* rest of the newest chunk */
    size_t bytes;                            /* held by Lua now */
} Heap;

/* A lua_Alloc; ud is a Heap that starts zeroed. NULL when memory ran out: Lua collects, tries again, and raises. */
void *heap_resize(void *ud, void *block, size_t old_size, size_t new_size);
void heap_fini(Heap *heap);

#endif
