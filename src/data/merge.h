// SPDX-License-Identifier: MIT
/* Learning which neighbouring tokens to join, from counted words: the most frequent pair first, again and again. Byte-pair
 * encoding and WordPiece are trained by it. Source: Sennrich et al. 2016, algorithm 1. */
#ifndef DATA_MERGE_H
#define DATA_MERGE_H

#include "data/words.h"

typedef struct MergePair {
    int32_t left, right, joined; /* ids; joined is the token of both */
} MergePair;

typedef struct MergePlan {
    int64_t vocab_size;    /* stop when the vocabulary holds so many */
    int64_t min_frequency; /* leave out what is rarer */
    const char *prefix;    /* of tokens that do not begin a word ("##"): falls away where it stands at a joint; "" for none */
    const _Atomic bool *stop; /* polled; may be NULL */
} MergePlan;

/* Word i of counts, as ids at symbols[starts[i]] … symbols[starts[i + 1] - 1], which are changed. New tokens are added to vocab,
 * merges appended to `merges` (an array of MergePair) in the order they were found; NULL: not wanted. Of equally frequent pairs
 * the one with the smaller ids comes first. Fails: ERR_MEM, ERR_INTERRUPT. */
MUST_USE bool merge_learn(Vocab *vocab, Buf *merges, int32_t *symbols, const int64_t *starts, const WordCounts *counts, const MergePlan *plan,
                          Err *err);

/* ---- pairs by their ids, for encoding too ---- */
typedef struct MergeSlot {
    uint64_t key;  /* left << 32 | right */
    int64_t value; /* a count, or a merge's rank */
    int32_t places; /* used while learning */
    bool used;
} MergeSlot;

typedef struct MergeTable {
    MergeSlot *slots; /* owned */
    uint32_t n, n_slots;
} MergeTable;

void merge_table_fini(MergeTable *table);
MergeSlot *merge_table_find(const MergeTable *table, int32_t left, int32_t right); /* NULL: not there */
/* The slot of a pair, made with value 0 when it is new; valid until the next add. NULL: ERR_MEM. */
MergeSlot *merge_table_add(MergeTable *table, int32_t left, int32_t right, Err *err);

/* ---- a heap of pairs: the largest weight first, of equal ones the smallest key ---- */
typedef struct MergeEntry {
    int64_t weight;
    uint64_t key;
} MergeEntry;
MUST_USE bool merge_heap_push(Buf *heap, MergeEntry entry, Err *err); /* heap: a Buf of MergeEntry */
bool merge_heap_pop(Buf *heap, MergeEntry *out);                       /* false: it is empty */

#endif
