// SPDX-License-Identifier: MIT
/* Rows in an array sorted by path, their texts in one block: building appends offsets, finishing turns them into pointers. */
#include "base/index.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

struct NameIndex {
    atomic_int refs;
    Buf rows;  /* NameRow [n]; until index_finish path and about hold offsets into texts */
    Buf texts; /* ended by zero bytes */
    size_t n;
};

NameIndex *index_new(Err *err)
{
    NameIndex *index = mem_zero(1, sizeof *index, err);
    if (index)
        atomic_init(&index->refs, 1);
    return index;
}

static const char *text_keep(NameIndex *index, const char *text)
{
    uintptr_t offset = index->texts.size;
    buf_write(&index->texts, text ? text : "", text ? strlen(text) + 1 : 1);
    return (const char *)offset; /* a pointer only after index_finish: the block still moves */
}

void index_add(NameIndex *index, const char *path, char kind, const char *about)
{
    NameRow row = { .path = text_keep(index, path), .kind = kind, .about = text_keep(index, about) };
    buf_write(&index->rows, &row, sizeof row);
    index->n++;
}

static NameRow *rows_get(const NameIndex *index)
{
    return (NameRow *)(void *)index->rows.data;
}

/* By path, then kind; of equals the one that says more comes first. */
static int row_order(const void *a, const void *b)
{
    const NameRow *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    if (!order)
        order = (x->kind > y->kind) - (x->kind < y->kind);
    if (!order) {
        size_t i = strlen(x->about), j = strlen(y->about);
        order = (i < j) - (i > j);
    }
    return order ? order : strcmp(x->about, y->about);
}

NameIndex *index_finish(NameIndex *take, Err *err)
{
    NameIndex *index = take;
    if (!index)
        return NULL;
    if (!buf_ok(&index->rows, err) || !buf_ok(&index->texts, err)) {
        index_unref(index);
        return NULL;
    }
    NameRow *rows = rows_get(index);
    for (size_t i = 0; i < index->n; i++) {
        rows[i].path = index->texts.data + (uintptr_t)rows[i].path;
        rows[i].about = index->texts.data + (uintptr_t)rows[i].about;
    }
    if (index->n)
        qsort(rows, index->n, sizeof *rows, row_order);
    size_t kept = 0;
    for (size_t i = 0; i < index->n; i++) {
        bool again = kept && rows[kept - 1].kind == rows[i].kind && !strcmp(rows[kept - 1].path, rows[i].path);
        if (!again)
            rows[kept++] = rows[i];
    }
    index->n = kept;
    return index;
}

NameIndex *index_ref(NameIndex *index)
{
    if (index)
        atomic_fetch_add_explicit(&index->refs, 1, memory_order_relaxed);
    return index;
}

void index_unref(NameIndex *index)
{
    if (!index || atomic_fetch_sub_explicit(&index->refs, 1, memory_order_acq_rel) != 1)
        return;
    buf_fini(&index->rows);
    buf_fini(&index->texts);
    mem_free(index);
}

/* The first row whose path is not before `key` in its first n bytes (after: the first that is beyond it). */
static size_t bound_find(const NameIndex *index, const char *key, size_t n, bool after)
{
    const NameRow *rows = rows_get(index);
    size_t low = 0, high = index->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(rows[middle].path, key, n);
        if (order < 0 || (after && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const NameRow *index_find(const NameIndex *index, const char *prefix, size_t *n)
{
    *n = 0;
    if (!index || !index->n)
        return NULL;
    size_t size = strlen(prefix);
    size_t first = bound_find(index, prefix, size, false), end = bound_find(index, prefix, size, true);
    *n = end - first;
    return *n ? rows_get(index) + first : NULL;
}
