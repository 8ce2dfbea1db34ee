// SPDX-License-Identifier: MIT
/* Each block carries its size in a header of one alignment unit in front of it. The counters are relaxed atomics:
 * they are read for display and for the limit, which may be passed by a block or two when threads race. */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic size_t held, peak, limit;
static _Atomic uint64_t allocations;
static _Atomic long fail_after = -1;

/* No block is larger: what a hostile header or a slip in a shape asks for is refused here, before the system is asked. */
#define MEM_BLOCK_MOST ((size_t)1 << 39)

static bool fails_now(void)
{
    long left = atomic_load_explicit(&fail_after, memory_order_relaxed);
    if (left < 0)
        return false;
    if (left == 0)
        return true;
    atomic_store_explicit(&fail_after, left - 1, memory_order_relaxed);
    return false;
}

static bool reserve(size_t bytes, Err *err)
{
    size_t most = atomic_load_explicit(&limit, memory_order_relaxed);
    size_t now = atomic_fetch_add_explicit(&held, bytes, memory_order_relaxed) + bytes;
    if (most && now > most) {
        atomic_fetch_sub_explicit(&held, bytes, memory_order_relaxed);
        return err_set(err, ERR_MEM, "the memory limit of %zu MB is reached (%zu MB in use, %zu MB more wanted)", most >> 20,
                       (now - bytes) >> 20, (bytes + 1048575) >> 20);
    }
    size_t old = atomic_load_explicit(&peak, memory_order_relaxed);
    while (now > old && !atomic_compare_exchange_weak_explicit(&peak, &old, now, memory_order_relaxed, memory_order_relaxed))
        ;
    return true;
}

static size_t *header(void *block)
{
    return (size_t *)((char *)block - MEM_ALIGN);
}

void *mem_alloc(size_t n, size_t size, Err *err)
{
    if (size && n > MEM_BLOCK_MOST / size) {
        err_set(err, ERR_MEM, "%zu items of %zu bytes are more than memory can hold", n, size);
        return NULL;
    }
    size_t asked = n * size, wanted = asked > 0 ? asked : 1; /* of nothing, too: a pointer one past its block is nobody's */
    size_t bytes = (wanted + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN + MEM_ALIGN;
    if (fails_now()) {
        err_set(err, ERR_MEM, "out of memory (%zu bytes wanted)", n * size);
        return NULL;
    }
    if (!reserve(bytes, err))
        return NULL;
    char *block = aligned_alloc(MEM_ALIGN, bytes);
    if (!block) {
        atomic_fetch_sub_explicit(&held, bytes, memory_order_relaxed);
        err_set(err, ERR_MEM, "out of memory (%zu bytes wanted)", n * size);
        return NULL;
    }
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    *(size_t *)block = bytes;
    return block + MEM_ALIGN;
}

void *mem_zero(size_t n, size_t size, Err *err)
{
    void *block = mem_alloc(n, size, err);
    return block ? memset(block, 0, n * size) : NULL;
}

void *mem_grow(void *old, size_t n, size_t size, Err *err)
{
    void *block = mem_alloc(n, size, err);
    if (!block || !old)
        return block;
    size_t had = *header(old) - MEM_ALIGN, want = n * size;
    memcpy(block, old, had < want ? had : want);
    mem_free(old);
    return block;
}

char *mem_copy_text(const char *text, Err *err)
{
    size_t size = strlen(text) + 1;
    char *copy = mem_alloc(size, 1, err);
    return copy ? memcpy(copy, text, size) : NULL;
}

void mem_free(void *block)
{
    if (!block)
        return;
    atomic_fetch_sub_explicit(&held, *header(block), memory_order_relaxed);
    free(header(block));
}

size_t mem_bytes(void)
{
    return atomic_load_explicit(&held, memory_order_relaxed);
}

size_t mem_peak(void)
{
    return atomic_load_explicit(&peak, memory_order_relaxed);
}

uint64_t mem_count(void)
{
    return atomic_load_explicit(&allocations, memory_order_relaxed);
}

void mem_limit(size_t bytes)
{
    atomic_store_explicit(&limit, bytes, memory_order_relaxed);
}

void mem_fail_after(long n)
{
    atomic_store_explicit(&fail_after, n, memory_order_relaxed);
}
