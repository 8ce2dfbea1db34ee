// SPDX-License-Identifier: MIT
/* NPZ, NumPy's archive of named arrays: a ZIP with one NAME.npy each. Any thread. */
#ifndef FORMATS_NPZ_H
#define FORMATS_NPZ_H

#include "formats/named.h"

/* All arrays, in the archive's order, added to `out`. Fails: ERR_IO, ERR_MEM; ERR_DATA for a damaged archive, two arrays of
 * one name, a member that is no array. On failure `out` may hold some: named_fini it in any case. */
MUST_USE bool npz_load(const char *path, NamedList *out, Err *err);
MUST_USE bool npz_parse(const void *bytes, size_t n, const char *name, NamedList *out, Err *err);

/* Stored, not packed. The same tensors give the same bytes. Fails: ERR_IO, ERR_MEM; ERR_ARG beyond 4 GiB, ERR_DATA when two
 * have one name. */
MUST_USE bool npz_save(const char *path, const NamedTensor *items, int n, Err *err);

#endif
