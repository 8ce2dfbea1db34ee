// SPDX-License-Identifier: MIT
/* Every pair has a count and a list of the words where it may stand. A heap gives the most frequent pair; its entries may be old,
 * so that an entry whose count has changed goes back with the new one. A merge touches only the words of its pair and changes
 * only the counts of their neighbours, which is what makes a thousand merges over a megabyte a matter of a second. */
#include "data/merge.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

/* ---- pairs ---- */

void merge_table_fini(MergeTable *table)
{
    mem_free(table->slots);
    *table = (MergeTable){ 0 };
}

static uint64_t key_of(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

static MergeSlot *slot_of(MergeSlot *slots, uint32_t n_slots, uint64_t key)
{
    uint32_t i = (uint32_t)((key * 0x9E3779B97F4A7C15u) >> 32) & (n_slots - 1);
    while (slots[i].used && slots[i].key != key)
        i = (i + 1) & (n_slots - 1);
    return &slots[i];
}

MergeSlot *merge_table_find(const MergeTable *table, int32_t left, int32_t right)
{
    if (!table->n_slots)
        return NULL;
    MergeSlot *slot = slot_of(table->slots, table->n_slots, key_of(left, right));
    return slot->used ? slot : NULL;
}

static bool table_grow(MergeTable *table, Err *err)
{
    uint32_t n_slots = table->n_slots ? table->n_slots * 2 : 1024;
    MergeSlot *slots = mem_zero(n_slots, sizeof *slots, err);
    if (!slots)
        return false;
    for (uint32_t i = 0; i < table->n_slots; i++)
        if (table->slots[i].used)
            *slot_of(slots, n_slots, table->slots[i].key) = table->slots[i];
    mem_free(table->slots);
    table->slots = slots;
    table->n_slots = n_slots;
    return true;
}

MergeSlot *merge_table_add(MergeTable *table, int32_t left, int32_t right, Err *err)
{
    if (table->n * 2 >= table->n_slots && !table_grow(table, err))
        return NULL;
    MergeSlot *slot = slot_of(table->slots, table->n_slots, key_of(left, right));
    if (!slot->used) {
        *slot = (MergeSlot){ .key = key_of(left, right), .places = -1, .used = true };
        table->n++;
    }
    return slot;
}

/* ---- the heap ---- */

static bool above(const MergeEntry *a, const MergeEntry *b)
{
    return a->weight != b->weight ? a->weight > b->weight : a->key < b->key;
}

bool merge_heap_push(Buf *heap, MergeEntry entry, Err *err)
{
    size_t i = heap->size / sizeof entry;
    buf_write(heap, &entry, sizeof entry);
    if (!buf_ok(heap, err))
        return false;
    MergeEntry *rows = (MergeEntry *)(void *)heap->data;
    for (; i > 0 && above(&entry, &rows[(i - 1) / 2]); i = (i - 1) / 2)
        rows[i] = rows[(i - 1) / 2];
    rows[i] = entry;
    return true;
}

bool merge_heap_pop(Buf *heap, MergeEntry *out)
{
    if (!heap->size)
        return false;
    MergeEntry *rows = (MergeEntry *)(void *)heap->data;
    size_t n = heap->size / sizeof *rows - 1, i = 0;
    MergeEntry last = rows[n];
    *out = rows[0];
    heap->size -= sizeof *rows;
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        child += child + 1 < n && above(&rows[child + 1], &rows[child]);
        if (!above(&rows[child], &last))
            break;
        rows[i] = rows[child];
    }
    rows[i] = last;
    return true;
}

/* ---- learning ---- */

typedef struct Place {
    int32_t word, next; /* next place of the same pair; -1: none */
} Place;

typedef struct Learning {
    int32_t *symbols;
    const int64_t *starts;
    int32_t *lengths; /* owned: symbols that word i has now */
    const WordCounts *counts;
    MergeTable pairs;
    Buf heap, places; /* MergeEntry, Place */
    Err *err;
} Learning;

/* One more (or less) of a pair in a word. */
static bool change(Learning *l, int32_t left, int32_t right, int32_t word, int sign)
{
    MergeSlot *slot = merge_table_add(&l->pairs, left, right, l->err);
    if (!slot)
        return false;
    slot->value += sign * l->counts->counts[word];
    const Place *places = (const Place *)(void *)l->places.data;
    if (sign < 0 || (slot->places >= 0 && places[slot->places].word == word))
        return true;
    Place place = { word, slot->places };
    slot->places = (int32_t)(l->places.size / sizeof place);
    buf_write(&l->places, &place, sizeof place);
    return buf_ok(&l->places, l->err);
}

static bool count_pairs(Learning *l)
{
    int32_t n = l->counts->words.n;
    if (!(l->lengths = mem_alloc((size_t)n, sizeof *l->lengths, l->err)))
        return false;
    for (int32_t w = 0; w < n; w++) {
        const int32_t *symbols = l->symbols + l->starts[w];
        l->lengths[w] = (int32_t)(l->starts[w + 1] - l->starts[w]);
        for (int32_t i = 0; i + 1 < l->lengths[w]; i++)
            if (!change(l, symbols[i], symbols[i + 1], w, 1))
                return false;
    }
    for (uint32_t i = 0; i < l->pairs.n_slots; i++)
        if (l->pairs.slots[i].used && !merge_heap_push(&l->heap, (MergeEntry){ l->pairs.slots[i].value, l->pairs.slots[i].key }, l->err))
            return false;
    return true;
}

/* A pair whose count rose goes onto the heap with it. */
static bool offer(Learning *l, int32_t left, int32_t right)
{
    const MergeSlot *slot = merge_table_find(&l->pairs, left, right);
    return !slot || slot->value < 1 || merge_heap_push(&l->heap, (MergeEntry){ slot->value, slot->key }, l->err);
}

/* Join the pair wherever it stands in the word, from the left. */
static bool merge_word(Learning *l, int32_t word, const MergePair *pair, Buf *risen)
{
    int32_t *symbols = l->symbols + l->starts[word], n = l->lengths[word], to = 0;
    for (int32_t i = 0; i < n; i++) {
        if (i + 1 == n || symbols[i] != pair->left || symbols[i + 1] != pair->right) {
            symbols[to++] = symbols[i];
            continue;
        }
        int32_t new_pairs[2][2] = { { to ? symbols[to - 1] : -1, pair->joined }, { pair->joined, i + 2 < n ? symbols[i + 2] : -1 } };
        if (to && !(change(l, symbols[to - 1], pair->left, word, -1) && change(l, symbols[to - 1], pair->joined, word, 1)))
            return false;
        if (i + 2 < n && !(change(l, pair->right, symbols[i + 2], word, -1) && change(l, pair->joined, symbols[i + 2], word, 1)))
            return false;
        if (to)
            buf_write(risen, new_pairs[0], sizeof new_pairs[0]);
        if (i + 2 < n)
            buf_write(risen, new_pairs[1], sizeof new_pairs[1]);
        symbols[to++] = pair->joined;
        i++;
    }
    l->lengths[word] = to;
    return buf_ok(risen, l->err);
}

/* Every risen pair once: they come in runs, and a second entry with the same count is harmless. */
static bool offer_risen(Learning *l, const Buf *risen)
{
    const int32_t *pairs = (const int32_t *)(const void *)risen->data;
    size_t n = risen->size / (2 * sizeof *pairs);
    for (size_t i = 0; i < n; i++) {
        bool same = i > 0 && pairs[2 * i] == pairs[2 * i - 2] && pairs[2 * i + 1] == pairs[2 * i - 1];
        if (!same && !offer(l, pairs[2 * i], pairs[2 * i + 1]))
            return false;
    }
    return true;
}

/* The token of both, with the prefix of the right one left out. -1 on failure. */
static int32_t join(Vocab *vocab, int32_t left, int32_t right, const char *prefix, Buf *scratch, Err *err)
{
    size_t n, m, skip = strlen(prefix);
    buf_reset(scratch);
    const char *a = vocab_at(vocab, left, &n), *b = vocab_at(vocab, right, &m);
    if (m <= skip || memcmp(b, prefix, skip))
        skip = 0;
    buf_write(scratch, a, n);
    buf_write(scratch, b + skip, m - skip);
    return buf_ok(scratch, err) ? vocab_add(vocab, scratch->data, scratch->size, err) : -1;
}

static bool merge_pair(Learning *l, MergeSlot *slot, const MergePair *pair, Buf *risen)
{
    int32_t at = slot->places;
    slot->places = -1;
    buf_reset(risen);
    while (at >= 0) {
        Place place = ((const Place *)(void *)l->places.data)[at];
        if (!merge_word(l, place.word, pair, risen))
            return false;
        at = place.next;
    }
    slot = merge_table_find(&l->pairs, pair->left, pair->right); /* the table may have grown */
    slot->value = 0;
    return offer_risen(l, risen);
}

static bool learn(Learning *l, Vocab *vocab, Buf *merges, const MergePlan *plan, Buf *scratch, Buf *risen)
{
    MergeEntry top;
    while (vocab->n < plan->vocab_size && merge_heap_pop(&l->heap, &top)) {
        MergePair pair = { (int32_t)(top.key >> 32), (int32_t)(top.key & 0xffffffffu), 0 };
        MergeSlot *slot = merge_table_find(&l->pairs, pair.left, pair.right);
        if (slot->value != top.weight) {
            if (slot->value > 0 && slot->value < top.weight && !merge_heap_push(&l->heap, (MergeEntry){ slot->value, top.key }, l->err))
                return false;
            continue; /* a larger count has an entry of its own */
        }
        if (top.weight < 1 || top.weight < plan->min_frequency)
            return true;
        if (plan->stop && atomic_load(plan->stop))
            return err_set(l->err, ERR_INTERRUPT, "interrupted");
        if ((pair.joined = join(vocab, pair.left, pair.right, plan->prefix, scratch, l->err)) < 0)
            return false;
        if (merges)
            buf_write(merges, &pair, sizeof pair);
        if (!merge_pair(l, slot, &pair, risen))
            return false;
    }
    return true;
}

bool merge_learn(Vocab *vocab, Buf *merges, int32_t *symbols, const int64_t *starts, const WordCounts *counts, const MergePlan *plan, Err *err)
{
    Learning l = { .symbols = symbols, .starts = starts, .counts = counts, .heap = BUF_INIT, .places = BUF_INIT, .err = err };
    Buf scratch = BUF_INIT, risen = BUF_INIT;
    bool ok = count_pairs(&l) && learn(&l, vocab, merges, plan, &scratch, &risen) && (!merges || buf_ok(merges, err));
    merge_table_fini(&l.pairs);
    buf_fini(&l.heap);
    buf_fini(&l.places);
    buf_fini(&scratch);
    buf_fini(&risen);
    mem_free(l.lengths);
    return ok;
}
