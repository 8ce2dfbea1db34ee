// SPDX-License-Identifier: MIT
/* Names that people mistype: the nearest known one, for "did you mean". */
#ifndef BASE_NAME_H
#define BASE_NAME_H

#include "base/err.h"

/* Edit distance with transpositions, ignoring case; gives up and returns most + 1 beyond most. */
int name_distance(const char *a, const char *b, int most);

/* A running search: offer every known name, then ask. */
typedef struct NameSearch {
    const char *word;
    const char *best; /* borrowed from what was offered; NULL when nothing is near */
    int distance;
} NameSearch;

void name_search(NameSearch *search, const char *word);
void name_offer(NameSearch *search, const char *known);

/* " (did you mean \"Dense\"?)" or "": for the end of a message. The buffer must hold 96 bytes. */
const char *name_hint(const NameSearch *search, char out[96]);

/* The index of the name among those of a table: at(0), at(1), … until NULL. -1 with ERR_NAME when it is none of them, in a sentence
 * with the nearest one; what: "schedule". */
MUST_USE int name_find(const char *(*at)(int i), const char *name, const char *what, Err *err);

#endif
