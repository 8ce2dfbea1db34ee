// SPDX-License-Identifier: MIT
/* Numbers as other programs store them: half and double floats, wide and narrow integers, either byte order, turned into
 * the types of a Tensor and back. A tensor's float32 is written with four bytes in every build (real may be double here).
 * No state; any thread. */
#ifndef FORMATS_ELEMENT_H
#define FORMATS_ELEMENT_H

#include "tensor/tensor.h"

/* name, bytes, the tensor type that holds it by itself */
#define ELEMENTS(X) \
    X(BOOL, 1, DTYPE_UINT8) \
    X(U8, 1, DTYPE_UINT8) \
    X(I8, 1, DTYPE_INT32) \
    X(U16, 2, DTYPE_INT32) \
    X(I16, 2, DTYPE_INT32) \
    X(U32, 4, DTYPE_INT32) \
    X(I32, 4, DTYPE_INT32) \
    X(U64, 8, DTYPE_INT32) \
    X(I64, 8, DTYPE_INT32) \
    X(F16, 2, DTYPE_FLOAT32) \
    X(BF16, 2, DTYPE_FLOAT32) \
    X(F32, 4, DTYPE_FLOAT32) \
    X(F64, 8, DTYPE_FLOAT32)

typedef enum {
#define X(name, size, dtype) ELEMENT_##name,
    ELEMENTS(X)
#undef X
        ELEMENT_COUNT
} Element;

size_t element_size(Element element);      /* bytes in a file */
const char *element_name(Element element); /* "BF16", as safetensors writes it */
DType element_dtype(Element element);      /* what holds it naturally */
Element element_of(DType dtype);           /* how a tensor is written: F32, I32, U8 */

/* A shape that a file claims. Fails: ERR_DATA with the file's name. */
MUST_USE bool element_check_shape(const Shape *shape, const char *name, Err *err);

/* True when the stored bytes are the tensor's own, so that they may be read straight into it. */
bool element_is_native(Element element, bool big_endian, DType dtype);

/* n stored elements -> out [n] of type `to`. `first` is the number of the first one, for messages.
 * Floats go into integers only when they are whole. A double too large for float32 becomes infinity.
 * Fails: ERR_DATA naming the element that does not fit. */
MUST_USE bool element_read(void *out, DType to, const void *bytes, Element from, bool big_endian, int64_t n, int64_t first, Err *err);

/* Elements first … first+n-1 of the tensor -> bytes, little-endian, of type element_of(dtype). */
void element_write(void *bytes, const Tensor *tensor, int64_t first, int64_t n);

#endif
