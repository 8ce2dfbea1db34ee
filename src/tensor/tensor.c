// SPDX-License-Identifier: MIT
#include "tensor/tensor.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

/* ---- types ---- */

static const struct {
    const char *name;
    size_t size;
} types[DTYPE_COUNT] = {
    [DTYPE_FLOAT32] = { "float32", sizeof(real) },
    [DTYPE_INT32] = { "int32", sizeof(int32_t) },
    [DTYPE_UINT8] = { "uint8", sizeof(uint8_t) },
};

size_t dtype_size(DType dtype)
{
    return (unsigned)dtype < DTYPE_COUNT ? types[dtype].size : 0;
}

const char *dtype_name(DType dtype)
{
    return (unsigned)dtype < DTYPE_COUNT ? types[dtype].name : "unknown";
}

bool dtype_find(const char *name, DType *out)
{
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (!strcmp(types[i].name, name)) {
            *out = (DType)i;
            return true;
        }
    return false;
}

/* ---- storage ---- */

static Storage *storage_new(size_t size, Err *err)
{
    Storage *storage = mem_zero(1, sizeof *storage, err);
    if (!storage)
        return NULL;
    storage->size = size;
    atomic_init(&storage->refs, 1);
    return storage;
}

static void storage_unref(Storage *storage)
{
    if (!storage || atomic_fetch_sub_explicit(&storage->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (storage->release)
        storage->release(storage->owner);
    else
        mem_free(storage->data);
    mem_free(storage);
}

static Storage *storage_ref(Storage *storage)
{
    if (storage)
        atomic_fetch_add_explicit(&storage->refs, 1, memory_order_relaxed);
    return storage;
}

/* ---- making ---- */

bool tensor_new(Tensor *out, DType dtype, Shape shape, Err *err)
{
    memset(out, 0, sizeof *out);
    if (!shape_check(&shape, err))
        return false;
    size_t n = (size_t)shape_count(&shape), size = dtype_size(dtype);
    Storage *storage = storage_new(n * size, err);
    if (!storage)
        return false;
    storage->data = mem_alloc(n, size, err);
    if (!storage->data) {
        mem_free(storage);
        return false;
    }
    *out = (Tensor){ .dtype = dtype, .shape = shape, .data = storage->data, .storage = storage };
    return true;
}

bool tensor_zero(Tensor *out, DType dtype, Shape shape, Err *err)
{
    if (!tensor_new(out, dtype, shape, err))
        return false;
    memset(out->data, 0, tensor_size(out));
    return true;
}

Tensor tensor_borrow(DType dtype, Shape shape, void *data)
{
    return (Tensor){ .dtype = dtype, .shape = shape, .data = data };
}

bool tensor_wrap(Tensor *out, DType dtype, Shape shape, void *data, void (*release)(void *), void *owner, Err *err)
{
    memset(out, 0, sizeof *out);
    if (!shape_check(&shape, err))
        return false;
    Storage *storage = storage_new((size_t)shape_count(&shape) * dtype_size(dtype), err);
    if (!storage)
        return false;
    storage->data = data;
    storage->release = release;
    storage->owner = owner;
    *out = (Tensor){ .dtype = dtype, .shape = shape, .data = data, .storage = storage };
    return true;
}

Tensor tensor_ref(const Tensor *tensor)
{
    storage_ref(tensor->storage);
    return *tensor;
}

void tensor_unref(Tensor *tensor)
{
    storage_unref(tensor->storage);
    memset(tensor, 0, sizeof *tensor);
}

bool tensor_copy(Tensor *out, const Tensor *from, Err *err)
{
    if (!tensor_new(out, from->dtype, from->shape, err))
        return false;
    memcpy(out->data, from->data, tensor_size(from));
    return true;
}

/* ---- other types ---- */

static double clamp_to(DType dtype, double value)
{
    if (dtype == DTYPE_UINT8)
        return value < 0 ? 0 : value > 255 ? 255 : value;
    return value < INT32_MIN ? INT32_MIN : value > INT32_MAX ? INT32_MAX : value;
}

bool tensor_cast(Tensor *out, const Tensor *from, DType dtype, Err *err)
{
    memset(out, 0, sizeof *out);
    if (dtype == from->dtype)
        return tensor_copy(out, from, err);
    int64_t n = tensor_count(from);
    if (from->dtype == DTYPE_FLOAT32)
        for (int64_t i = 0; i < n; i++)
            if (isnan(tensor_real(from)[i]))
                return err_set(err, ERR_DATA, "element %" PRId64 " (counted from 1) is NaN, which %s cannot hold", i + 1,
                               dtype_name(dtype));
    if (!tensor_new(out, dtype, from->shape, err))
        return false;
    for (int64_t i = 0; i < n; i++)
        tensor_set(out, i, tensor_get(from, i));
    return true;
}

/* ---- views ---- */

bool tensor_rows(Tensor *out, const Tensor *from, int64_t first, int64_t n, Err *err)
{
    memset(out, 0, sizeof *out);
    if (from->shape.rank < 1)
        return err_set(err, ERR_ARG, "a single number has no rows");
    int64_t rows = from->shape.d[0];
    if (first < 0 || n < 0 || first > rows || n > rows - first)
        return err_set(err, ERR_ARG,
                       "%" PRId64 " rows from row %" PRId64 " on are not all among the %" PRId64
                       " rows of the tensor (the first is 1)",
                       n, first < INT64_MAX ? first + 1 : first, rows);
    *out = tensor_ref(from);
    out->shape.d[0] = n;
    out->data = (char *)from->data + (size_t)(first * shape_count_from(&from->shape, 1)) * dtype_size(from->dtype);
    return true;
}

bool tensor_reshape(Tensor *out, const Tensor *from, Shape shape, Err *err)
{
    char wanted[SHAPE_TEXT], had[SHAPE_TEXT];
    int64_t n = tensor_count(from), known = 1;
    int open = -1;
    shape_text(&shape, wanted);
    shape_text(&from->shape, had);
    memset(out, 0, sizeof *out);
    for (int i = 0; i < shape.rank; i++) {
        if (shape.d[i] == -1 && open >= 0)
            return err_set(err, ERR_SHAPE, "reshape to %s: only one size may be left open", wanted);
        if (shape.d[i] == -1)
            open = i;
        else if (shape.d[i] < 0 || (shape.d[i] > 0 && known > TENSOR_ELEMENTS_MOST / shape.d[i]))
            return err_set(err, ERR_SHAPE, "reshape to %s: sizes must be 0 or more, and one of them -1", wanted);
        else
            known *= shape.d[i];
    }
    if (open >= 0 && known > 0)
        shape.d[open] = n / known;
    if (open >= 0 && known == 0)
        return err_set(err, ERR_SHAPE, "reshape to %s: the open size cannot be told beside a size of 0", wanted);
    if (shape_count(&shape) != n)
        return err_set(err, ERR_SHAPE, "reshape: shape %s has %" PRId64 " elements, which do not fill %s", had, n, wanted);
    *out = tensor_ref(from);
    out->shape = shape;
    return true;
}

/* ---- elements ---- */

int64_t tensor_count(const Tensor *tensor)
{
    return shape_count(&tensor->shape);
}

size_t tensor_size(const Tensor *tensor)
{
    return (size_t)tensor_count(tensor) * dtype_size(tensor->dtype);
}

double tensor_get(const Tensor *tensor, int64_t i)
{
    switch (tensor->dtype) {
    case DTYPE_INT32:
        return tensor_int(tensor)[i];
    case DTYPE_UINT8:
        return tensor_byte(tensor)[i];
    default:
        return (double)tensor_real(tensor)[i];
    }
}

void tensor_set(Tensor *tensor, int64_t i, double value)
{
    switch (tensor->dtype) {
    case DTYPE_INT32:
        tensor_int(tensor)[i] = isnan(value) ? 0 : (int32_t)clamp_to(DTYPE_INT32, value);
        break;
    case DTYPE_UINT8:
        tensor_byte(tensor)[i] = isnan(value) ? 0 : (uint8_t)clamp_to(DTYPE_UINT8, value);
        break;
    default:
        tensor_real(tensor)[i] = (real)value;
    }
}

/* ---- freezing ---- */

void tensor_freeze(Tensor *tensor)
{
    if (tensor->storage)
        atomic_fetch_add(&tensor->storage->readers, 1);
}

void tensor_thaw(Tensor *tensor)
{
    if (tensor->storage)
        atomic_fetch_sub(&tensor->storage->readers, 1);
}

bool tensor_frozen(const Tensor *tensor)
{
    return tensor->storage && atomic_load(&tensor->storage->readers) > 0;
}
