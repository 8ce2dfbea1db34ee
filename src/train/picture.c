// SPDX-License-Identifier: MIT
/* Split reference counts: a reader takes the newest with one atomic addition to the word that also names it, so there is no
 * moment at which the slot is known but not counted. The writer exchanges that word, learns how often the old picture was
 * taken, and adds this to the slot's own count, from which readers subtract as they give back. Whoever brings the count to
 * zero has freed the slot. Source: the "differential reference counting" of Williams, "C++ Concurrency in Action", 7.2.4. */
#include "train/picture.h"

#include "base/mem.h"

#define HELD ((int64_t)1 << 48) /* keeps the count away from zero until the takers are known */
#define TAKEN ((uint64_t)1 << 8)

/* Before what the writer fills; keeps its alignment. */
typedef union Head {
    struct {
        PictureSlot *slot;
        void *owner;
    } is;
    char room[MEM_ALIGN];
} Head;

static const Head *head_of(const void *picture)
{
    return (const Head *)picture - 1;
}

void picture_shelf_fini(PictureShelf *shelf)
{
    for (int i = 0; i < PICTURE_SLOTS; i++)
        mem_free(shelf->slots[i].block);
}

/* A free slot, one with enough room if there is such a one. */
static PictureSlot *find_slot(PictureShelf *shelf, size_t size)
{
    PictureSlot *best = NULL;
    for (int i = 0; i < PICTURE_SLOTS; i++) {
        PictureSlot *slot = &shelf->slots[i];
        if (atomic_load_explicit(&slot->holders, memory_order_acquire) != 0)
            continue;
        if (slot->block && slot->room >= size)
            return slot;
        if (!best || (slot->block && !best->block))
            best = slot;
    }
    return best;
}

void *picture_new(PictureShelf *shelf, void *owner, size_t size)
{
    PictureSlot *slot = find_slot(shelf, size);
    if (!slot || size > SIZE_MAX - sizeof(Head))
        return NULL;
    if (!slot->block || slot->room < size) {
        void *block = mem_alloc(sizeof(Head) + size, 1, NULL);
        if (!block)
            return NULL;
        mem_free(slot->block);
        slot->block = block;
        slot->room = size;
    }
    Head *head = slot->block;
    head->is.slot = slot;
    head->is.owner = owner;
    atomic_store_explicit(&slot->holders, HELD, memory_order_relaxed);
    return head + 1;
}

void picture_set(PictureShelf *shelf, void *take)
{
    PictureSlot *slot = head_of(take)->is.slot;
    uint64_t word = (uint64_t)(slot - shelf->slots) + 1;
    uint64_t old = atomic_exchange_explicit(&shelf->newest, word, memory_order_acq_rel);
    if (old == 0)
        return;
    PictureSlot *before = &shelf->slots[(old & (TAKEN - 1)) - 1];
    atomic_fetch_add_explicit(&before->holders, (int64_t)(old / TAKEN) - HELD, memory_order_acq_rel);
}

const void *picture_get(PictureShelf *shelf)
{
    if (atomic_load_explicit(&shelf->newest, memory_order_relaxed) == 0)
        return NULL;
    uint64_t word = atomic_fetch_add_explicit(&shelf->newest, TAKEN, memory_order_acquire);
    return (Head *)shelf->slots[(word & (TAKEN - 1)) - 1].block + 1;
}

void picture_put(const void *picture)
{
    atomic_fetch_sub_explicit(&head_of(picture)->is.slot->holders, 1, memory_order_acq_rel);
}

void *picture_owner(const void *picture)
{
    return head_of(picture)->is.owner;
}
