// SPDX-License-Identifier: MIT
/* Memory: every block of the engine comes from here, so that it is counted, limited, and can be made to fail in tests.
 * Blocks are aligned to 64 bytes. All functions may be called from any thread. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MEM_ALIGN 64

/* n * size bytes, not cleared; never NULL for a size of zero. Fails: ERR_MEM (also when the product overflows). */
MUST_USE void *mem_alloc(size_t n, size_t size, Err *err);

/* The same, cleared. */
MUST_USE void *mem_zero(size_t n, size_t size, Err *err);

/* Grow or shrink; old may be NULL. On failure old is untouched and still the caller's. Fails: ERR_MEM. */
MUST_USE void *mem_grow(void *old, size_t n, size_t size, Err *err);

MUST_USE char *mem_copy_text(const char *text, Err *err);
void mem_free(void *block);

/* Bytes held now, the most ever held, and how many allocations were made (a steady training step makes none). */
size_t mem_bytes(void);
size_t mem_peak(void);
uint64_t mem_count(void);

/* Refuse to hold more than this many bytes (0: no limit). */
void mem_limit(size_t bytes);

/* Tests: let n more allocations succeed, then fail every one; negative: never fail. */
void mem_fail_after(long n);

#endif
