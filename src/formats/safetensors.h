// SPDX-License-Identifier: MIT
/* safetensors: a length, a JSON header, the tensors' bytes; no code can hide in it. This is the format of models.
 *
 * Reading: the header is checked whole before anything else, in the order of the reference reader: length, cap, JSON without
 * duplicate names, offsets that touch without gap or overlap, sizes without overflow, the exact end of the file. Tensors are
 * read one by one, straight to where they belong, so memory is the header and what is asked for. They are read and not
 * mapped: a mapped file that another program shortens would end the process. All names of types are known; those that have
 * no counterpart here (C64, the 4- to 8-bit floats) are listed and refused only when asked for.
 *
 * Writing: byte for byte what the reference writes (tensors by type from wide to narrow, then by name; metadata sorted), so
 * the same content gives the same file; replaced whole or not at all (see base/file.h).
 *
 * A SafeTensors owns what its entries point to. After opening it is not changed: any number of threads may read. */
#ifndef FORMATS_SAFETENSORS_H
#define FORMATS_SAFETENSORS_H

#include "formats/element.h"
#include "formats/named.h"

#define SAFETENSORS_HEADER_MOST 100000000 /* bytes */

typedef struct SafeTensors SafeTensors;

typedef struct SafeEntry {
    const char *name;
    const char *type_name; /* as in the file: "F32" */
    bool readable;         /* false: a type or rank that a Tensor does not have; the three below are meaningless then */
    Element element;
    Shape shape;
    DType dtype;         /* what holds it naturally */
    uint64_t begin, end; /* bytes, from the start of the file */
} SafeEntry;

typedef struct SafeMeta {
    const char *key, *value;
} SafeMeta;

/* Fails: ERR_IO; ERR_DATA with offset and reason; ERR_MEM. */
MUST_USE SafeTensors *safetensors_open(const char *path, Err *err);
/* The same for a file in memory, borrowed until the end; name is for messages. */
MUST_USE SafeTensors *safetensors_parse(const void *bytes, size_t n, const char *name, Err *err);
void safetensors_free(SafeTensors *file);

int safetensors_count(const SafeTensors *file);
const SafeEntry *safetensors_at(const SafeTensors *file, int i); /* in the order of the data */
const SafeEntry *safetensors_find(const SafeTensors *file, const char *name); /* NULL when there is none */

int safetensors_meta_count(const SafeTensors *file);
const SafeMeta *safetensors_meta_at(const SafeTensors *file, int i);        /* sorted by key */
const char *safetensors_meta(const SafeTensors *file, const char *key); /* NULL when there is none */

/* A new tensor of type dtype, converted if need be (see element.h). Fails: ERR_NAME when there is none of that name (with
 * the nearest), ERR_DATA, ERR_IO, ERR_MEM. */
MUST_USE bool safetensors_get(const SafeTensors *file, const char *name, DType dtype, Tensor *out, Err *err);

/* Into elements that stand already (a layer's block); allocates nothing. Fails: ERR_SHAPE when the shapes differ, and as above.
 * After a failure some elements may be overwritten. */
MUST_USE bool safetensors_read(const SafeTensors *file, const SafeEntry *entry, Tensor *into, Err *err);

/* Fails: ERR_ARG for a name twice, "__metadata__" or text that is not UTF-8; ERR_IO, ERR_MEM. New files get `mode` (0666 for
 * ordinary ones). */
MUST_USE bool safetensors_save(const char *path, const NamedTensor *items, int n, const SafeMeta *meta, int n_meta, unsigned mode,
                               Err *err);

#endif
