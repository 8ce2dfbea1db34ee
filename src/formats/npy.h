// SPDX-License-Identifier: MIT
/* NPY, NumPy's format of one array. Read: versions 1 to 3, booleans, integers of 1 to 8 bytes, floats of 2 to 8, both byte
 * orders, Fortran order (turned into C order). Refused with a reason: objects (they are pickles, that is programs), records,
 * text, complex numbers. The header is read by a small grammar and never evaluated. Written: version 1.0, data at a multiple
 * of 64, the same bytes as numpy.save. Any thread. */
#ifndef FORMATS_NPY_H
#define FORMATS_NPY_H

#include "tensor/tensor.h"

/* Integers become int32 (uint8 and bool: uint8), floats float32. Fails: ERR_IO, ERR_MEM; ERR_DATA with the byte offset and
 * reason; the data must be exactly as long as the shape says. A file packed by gzip or xz is read too. */
MUST_USE bool npy_load(const char *path, Tensor *out, Err *err);
MUST_USE bool npy_parse(const void *bytes, size_t n, const char *name, Tensor *out, Err *err);

MUST_USE bool npy_save(const char *path, const Tensor *tensor, Err *err);

/* What stands before the data: NPY_HEADER_MOST bytes suffice; returns its size, a multiple of 64. */
#define NPY_HEADER_MOST 512
size_t npy_header(char out[NPY_HEADER_MOST], const Tensor *tensor);

#endif
