// SPDX-License-Identifier: MIT
/* Open addressing with linear probes, at most half full; the hash is FNV-1a with its high bits folded in. */
#include "data/vocab.h"

#include <string.h>

#include "base/mem.h"

void vocab_fini(Vocab *vocab)
{
    buf_fini(&vocab->bytes);
    mem_free(vocab->ends);
    mem_free(vocab->slots);
    *vocab = (Vocab)VOCAB_INIT;
}

static uint32_t hash_of(const char *bytes, size_t n)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001B3u;
    return (uint32_t)(hash ^ hash >> 32);
}

const char *vocab_at(const Vocab *vocab, int32_t id, size_t *n)
{
    size_t start = id ? vocab->ends[id - 1] : 0;
    *n = vocab->ends[id] - start;
    return vocab->bytes.data ? vocab->bytes.data + start : "";
}

/* The slot where these bytes stand or would stand. */
static uint32_t slot_of(const Vocab *vocab, const char *bytes, size_t n)
{
    uint32_t slot = hash_of(bytes, n) & (vocab->n_slots - 1);
    for (; vocab->slots[slot]; slot = (slot + 1) & (vocab->n_slots - 1)) {
        size_t size;
        const char *token = vocab_at(vocab, vocab->slots[slot] - 1, &size);
        if (size == n && !memcmp(token, bytes, n))
            break;
    }
    return slot;
}

int32_t vocab_find(const Vocab *vocab, const char *bytes, size_t n)
{
    return vocab->n_slots ? vocab->slots[slot_of(vocab, bytes, n)] - 1 : -1;
}

static bool grow(Vocab *vocab, Err *err)
{
    int32_t room = vocab->room ? vocab->room * 2 : 256;
    size_t *ends = mem_grow(vocab->ends, (size_t)room, sizeof *ends, err);
    if (!ends)
        return false;
    vocab->ends = ends;
    int32_t *slots = mem_zero((size_t)room * 2, sizeof *slots, err);
    if (!slots)
        return false;
    mem_free(vocab->slots);
    vocab->slots = slots;
    vocab->n_slots = (uint32_t)room * 2;
    vocab->room = room;
    for (int32_t i = 0; i < vocab->n; i++) {
        size_t n;
        const char *token = vocab_at(vocab, i, &n);
        vocab->slots[slot_of(vocab, token, n)] = i + 1;
    }
    return true;
}

int32_t vocab_add(Vocab *vocab, const char *bytes, size_t n, Err *err)
{
    int32_t id = vocab_find(vocab, bytes, n);
    if (id >= 0)
        return id;
    if (vocab->n >= VOCAB_MOST) {
        err_set(err, ERR_DATA, "a vocabulary holds at most %d entries", VOCAB_MOST);
        return -1;
    }
    if (vocab->n == vocab->room && !grow(vocab, err))
        return -1;
    buf_write(&vocab->bytes, bytes, n);
    if (!buf_ok(&vocab->bytes, err))
        return -1;
    vocab->ends[vocab->n] = vocab->bytes.size;
    vocab->slots[slot_of(vocab, bytes, n)] = vocab->n + 1;
    return vocab->n++;
}
