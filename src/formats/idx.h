// SPDX-License-Identifier: MIT
/* IDX, the format of MNIST: bytes 0, 0, type, rank; rank big-endian sizes of four bytes; then the elements, big-endian.
 * Plain, gzip or xz. Types 08 and 09 to 0E are read; bytes stay uint8, wider integers become int32, floats float32. */
#ifndef FORMATS_IDX_H
#define FORMATS_IDX_H

#include "tensor/tensor.h"

/* Fails: ERR_IO, ERR_MEM; ERR_DATA when the file is not IDX, or its length is not what its sizes say. */
MUST_USE bool idx_load(const char *path, Tensor *out, Err *err);

/* The same from unpacked bytes; name is for messages. */
MUST_USE bool idx_parse(const void *bytes, size_t n, const char *name, Tensor *out, Err *err);

/* Rank 1 to 8; uint8 as type 08, int32 as 0C, float32 as 0D. Fails: ERR_SHAPE, ERR_IO. */
MUST_USE bool idx_save(const char *path, const Tensor *tensor, Err *err);

#endif
