// SPDX-License-Identifier: MIT
/* The names that the prompt can complete: an immutable, counted list that the lua thread publishes and the ui reads.
 * Paths are like "nn.Dense", "model:fit", "digits.x"; a row also says what stands there and its signature. */
#ifndef BASE_INDEX_H
#define BASE_INDEX_H

#include <stddef.h>

#include "base/err.h"

typedef struct NameRow {
    const char *path;  /* "nn.Conv2D"; methods with ':' before the last name ("model:fit"), arguments of a function with '('
                          before theirs ("nn.Conv2D(padding", "model:fit(epochs"), keywords plain ("while") */
    char kind;         /* 'f' function or constructor, 'm' method, 't' table or object, 'v' other value, 'k' keyword, 'a' argument */
    const char *about; /* signature or one line of help; "" when unknown */
} NameRow;

typedef struct NameIndex NameIndex;

/* Building: one thread. Fails: ERR_MEM (remembered until index_finish). */
MUST_USE NameIndex *index_new(Err *err);
void index_add(NameIndex *index, const char *path, char kind, const char *about);

/* Sort, drop rows that say the same twice; from here on it is immutable and may be shared. Frees and returns NULL when memory ran out. */
MUST_USE NameIndex *index_finish(NameIndex *take, Err *err);

NameIndex *index_ref(NameIndex *index);
void index_unref(NameIndex *index);

/* Rows whose path begins with prefix: the first, and how many stand in a row. Borrowed. */
const NameRow *index_find(const NameIndex *index, const char *prefix, size_t *n);

#endif
