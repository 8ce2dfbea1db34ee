// SPDX-License-Identifier: MIT
/* A sequence lock over plain data: one writer that never waits, any number of readers that try again when the writer was
 * faster. The payload is kept in atomic words, so that a torn read is a stale value and never a data race; releasing stores
 * and acquiring loads of the words stand where the textbook has fences (which the thread sanitizer does not know).
 * Source: Boehm 2012, "Can seqlocks get along with programming language memory models?". */
#ifndef TRAIN_SEQLOCK_H
#define TRAIN_SEQLOCK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef _Atomic uint64_t SeqWord;

/* Words for so many bytes. */
#define SEQ_WORDS(bytes) (((bytes) + 7) / 8)

/* Copy a multiple of 8 bytes into words, and back. */
static inline void seq_store(SeqWord *words, const void *data, size_t bytes)
{
    const char *from = data;
    for (size_t i = 0; i < bytes / 8; i++) {
        uint64_t word;
        memcpy(&word, from + 8 * i, 8);
        atomic_store_explicit(&words[i], word, memory_order_release);
    }
}

static inline void seq_fetch(void *data, SeqWord *words, size_t bytes)
{
    char *to = data;
    for (size_t i = 0; i < bytes / 8; i++) {
        uint64_t word = atomic_load_explicit(&words[i], memory_order_acquire);
        memcpy(to + 8 * i, &word, 8);
    }
}

/* Writer: between the two the number is odd. */
static inline void seq_begin(atomic_uint *number)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + 1, memory_order_relaxed);
}

static inline void seq_end(atomic_uint *number)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + 1, memory_order_release);
}

/* Reader: do { at = seq_enter(n); …fetch… } while (seq_changed(n, at)); */
static inline unsigned seq_enter(atomic_uint *number)
{
    unsigned at;
    while ((at = atomic_load_explicit(number, memory_order_acquire)) & 1)
        ;
    return at;
}

static inline int seq_changed(atomic_uint *number, unsigned at)
{
    return atomic_load_explicit(number, memory_order_relaxed) != at;
}

#endif
