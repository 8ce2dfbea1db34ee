// SPDX-License-Identifier: MIT
/* Tensors: type, shape, and storage, always row-major without gaps. A Tensor is a small value: copying it copies the view.
 * Storage is counted, atomically; a Tensor whose `storage` is NULL borrows its data (from an arena, a layer's block).
 * Elements named float32 are of C type `real`: float, or double in MODE=f64. */
#ifndef TENSOR_TENSOR_H
#define TENSOR_TENSOR_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#ifdef HEBB_F64
typedef double real;
#else
typedef float real;
#endif

typedef enum { DTYPE_FLOAT32, DTYPE_INT32, DTYPE_UINT8, DTYPE_COUNT } DType;

#define SHAPE_MOST 8
#define TENSOR_ELEMENTS_MOST ((int64_t)1 << 48)

typedef struct Shape {
    int rank;              /* 0 … SHAPE_MOST */
    int64_t d[SHAPE_MOST]; /* sizes; -1 stands for the batch where a shape is symbolic */
} Shape;

typedef struct Storage {
    _Atomic int refs;
    _Atomic int readers; /* runs that read it: writing in place is refused while > 0 */
    size_t size;         /* bytes */
    void *data;          /* owned unless `release` is set */
    void (*release)(void *owner); /* called with owner instead of freeing data (mapped files) */
    void *owner;
} Storage;

typedef struct Tensor {
    DType dtype;
    Shape shape;
    void *data;       /* first element; NULL only for an absent tensor */
    Storage *storage; /* one reference, or NULL: borrowed */
} Tensor;

/* ---- shapes ---- */
#define SHAPE(...) shape_make((int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (const int64_t[]){ __VA_ARGS__ })
Shape shape_make(int rank, const int64_t *sizes);
int64_t shape_count(const Shape *shape); /* elements; 1 for rank 0; a symbolic -1 counts as 1 */
int64_t shape_count_from(const Shape *shape, int axis); /* product of sizes from axis on */
bool shape_same(const Shape *a, const Shape *b);
/* Sizes >= 0, product within TENSOR_ELEMENTS_MOST. Fails: ERR_SHAPE. */
MUST_USE bool shape_check(const Shape *shape, Err *err);
/* Axis in -rank … rank-1 to 0 … rank-1. Fails: ERR_ARG naming who. */
MUST_USE bool shape_axis(const Shape *shape, int64_t axis, int *out, const char *who, Err *err);
/* NumPy's rule. Fails: ERR_SHAPE. */
MUST_USE bool shape_broadcast(const Shape *a, const Shape *b, Shape *out, const char *who, Err *err);
/* "(3, 28, 28)"; a symbolic size is written "None". Buffer of SHAPE_TEXT bytes; returns out. */
#define SHAPE_TEXT 128
const char *shape_text(const Shape *shape, char out[SHAPE_TEXT]);

/* ---- types ---- */
size_t dtype_size(DType dtype);      /* bytes of an element in memory */
const char *dtype_name(DType dtype); /* "float32" */
bool dtype_find(const char *name, DType *out);

/* ---- tensors ---- */

/* New storage, elements not cleared / cleared. Fails: ERR_SHAPE, ERR_MEM. End with tensor_unref. */
MUST_USE bool tensor_new(Tensor *out, DType dtype, Shape shape, Err *err);
MUST_USE bool tensor_zero(Tensor *out, DType dtype, Shape shape, Err *err);

/* Elements that another object keeps alive (an arena, a layer). */
Tensor tensor_borrow(DType dtype, Shape shape, void *data);

/* Memory of somebody else as counted storage; release(owner) is called at the end. Fails: ERR_MEM (release is not called). */
MUST_USE bool tensor_wrap(Tensor *out, DType dtype, Shape shape, void *data, void (*release)(void *), void *owner, Err *err);

Tensor tensor_ref(const Tensor *tensor); /* one more reference to the same storage */
void tensor_unref(Tensor *tensor);       /* and clear the Tensor; NULL data is fine */

/* A copy with storage of its own. Fails: ERR_MEM. */
MUST_USE bool tensor_copy(Tensor *out, const Tensor *from, Err *err);

/* The same elements as another type; float to int truncates toward zero, to uint8 clamps. Fails: ERR_MEM; ERR_DATA for NaN
 * to an integer type. */
MUST_USE bool tensor_cast(Tensor *out, const Tensor *from, DType dtype, Err *err);

/* Rows first … first+n-1 of axis 0: a view with its own reference. Fails: ERR_ARG. */
MUST_USE bool tensor_rows(Tensor *out, const Tensor *from, int64_t first, int64_t n, Err *err);

/* The same elements in another shape (one size may be -1: computed): a view. Fails: ERR_SHAPE. */
MUST_USE bool tensor_reshape(Tensor *out, const Tensor *from, Shape shape, Err *err);

int64_t tensor_count(const Tensor *tensor);
size_t tensor_size(const Tensor *tensor); /* bytes */

/* Element i (row-major, from 0) as a number, whatever the type. No bounds check. */
double tensor_get(const Tensor *tensor, int64_t i);
void tensor_set(Tensor *tensor, int64_t i, double value);

/* While a run reads it: writing in place is refused. */
void tensor_freeze(Tensor *tensor);
void tensor_thaw(Tensor *tensor);
bool tensor_frozen(const Tensor *tensor);

/* "tensor float32 (2, 3)" and its values, head and tail of long axes, at most `rows` lines of `width` columns. */
void tensor_write(Buf *out, const Tensor *tensor, int rows, int width);

static inline real *tensor_real(const Tensor *t)
{
    return (real *)t->data;
}
static inline int32_t *tensor_int(const Tensor *t)
{
    return (int32_t *)t->data;
}
static inline uint8_t *tensor_byte(const Tensor *t)
{
    return (uint8_t *)t->data;
}

#endif
