// SPDX-License-Identifier: MIT
/* A list of tokens, each a run of bytes with a number from 0, and the way back from bytes to number. Also counts words while a
 * tokeniser is trained. The caller owns the Vocab and what it points to; one thread while it grows, any while it is read. */
#ifndef DATA_VOCAB_H
#define DATA_VOCAB_H

#include <stdint.h>

#include "base/buf.h"

#define VOCAB_MOST (1 << 24)

typedef struct Vocab {
    Buf bytes;       /* all tokens, one behind the other */
    size_t *ends;    /* owned [room]: where token i ends */
    int32_t n, room;
    int32_t *slots;  /* owned [n_slots]: id + 1 by hash, 0: free */
    uint32_t n_slots;
} Vocab;

#define VOCAB_INIT { .bytes = BUF_INIT }

void vocab_fini(Vocab *vocab);

/* The number of these bytes, added behind the last when they are new. -1 on failure: ERR_MEM, ERR_DATA beyond VOCAB_MOST. */
int32_t vocab_add(Vocab *vocab, const char *bytes, size_t n, Err *err);

/* -1: not there. */
int32_t vocab_find(const Vocab *vocab, const char *bytes, size_t n);

/* Token id (0 … n-1), borrowed until the next vocab_add. Not ended by a zero byte. */
const char *vocab_at(const Vocab *vocab, int32_t id, size_t *n);

#endif
