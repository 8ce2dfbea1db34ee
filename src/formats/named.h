// SPDX-License-Identifier: MIT
/* Tensors with names, in order: what an archive of arrays holds. A NamedList owns its names and one reference to each
 * tensor; end it with named_fini. One thread at a time. */
#ifndef FORMATS_NAMED_H
#define FORMATS_NAMED_H

#include "tensor/tensor.h"

typedef struct NamedTensor {
    const char *name; /* UTF-8; in a NamedList owned by the list, elsewhere borrowed */
    Tensor tensor;
} NamedTensor;

typedef struct NamedList {
    NamedTensor *items; /* owned */
    int n, room;
} NamedList;

void named_fini(NamedList *list);

/* Add a copy of the name (size bytes) and take the reference, also when it fails. Fails: ERR_MEM. */
MUST_USE bool named_add(NamedList *list, const char *name, size_t size, Tensor *take, Err *err);

/* NULL when there is none. */
const Tensor *named_find(const NamedList *list, const char *name);

/* True when no name stands there twice. Fails: ERR_DATA naming file and name, ERR_MEM. */
MUST_USE bool named_check_unique(const NamedTensor *items, int n, const char *file, Err *err);

/* Room for a name in a message; control bytes become '?', long names are cut. Returns out. */
#define NAMED_TEXT 64
const char *named_text(const char *name, size_t size, char out[NAMED_TEXT]);

#endif
