// SPDX-License-Identifier: MIT
#include "data/batcher.h"

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tensor/kern.h"

static int64_t count_steps(int64_t n, const BatchOptions *options)
{
    return options->drop_last ? n / options->batch_size : (n - 1) / options->batch_size + 1;
}

Batcher *batcher_new(Dataset *set, const BatchOptions *options, Err *err)
{
    int64_t n = dataset_rows(set);
    if (options->batch_size < 1) {
        err_set(err, ERR_ARG, "batch_size must be at least 1, got %lld", (long long)options->batch_size);
        return NULL;
    }
    if (n == 0) {
        err_set(err, ERR_DATA, "%s has no rows to make batches of", set->name);
        return NULL;
    }
    if (count_steps(n, options) == 0) {
        err_set(err, ERR_ARG, "batch_size %lld is more than the %lld rows of %s, and what is not full is dropped; choose a smaller one",
                (long long)options->batch_size, (long long)n, set->name);
        return NULL;
    }
    Batcher *batcher = mem_zero(1, sizeof *batcher, err);
    int64_t *order = batcher ? mem_alloc((size_t)n, sizeof *order, err) : NULL;
    if (!order) {
        mem_free(batcher);
        return NULL;
    }
    *batcher = (Batcher){ .set = dataset_ref(set), .options = *options, .n = n, .steps = count_steps(n, options), .order = order };
    if (batcher->options.batch_size > n)
        batcher->options.batch_size = n; /* no room is needed for more */
    batcher_seek(batcher, 1, 0);
    return batcher;
}

void batcher_free(Batcher *batcher)
{
    if (!batcher)
        return;
    dataset_unref(batcher->set);
    mem_free(batcher->order);
    mem_free(batcher);
}

void batcher_seek(Batcher *batcher, int64_t epoch, int64_t step)
{
    batcher->step = step < 0 ? 0 : step > batcher->steps ? batcher->steps : step;
    if (batcher->epoch == epoch)
        return;
    bool same = batcher->epoch != 0 && !batcher->options.shuffle;
    batcher->epoch = epoch;
    if (same)
        return;
    for (int64_t i = 0; i < batcher->n; i++)
        batcher->order[i] = i;
    if (!batcher->options.shuffle)
        return;
    Rng rng;
    rng_init(&rng, batcher->options.seed, RNG_SHUFFLE, (uint64_t)epoch);
    rng_shuffle(&rng, batcher->order, batcher->n);
}

static DType batch_type(const Tensor *from, bool target)
{
    return from->dtype == DTYPE_UINT8 ? (target ? DTYPE_INT32 : DTYPE_FLOAT32) : from->dtype;
}

void batcher_shapes(const Batcher *batcher, Shape *x, DType *x_type, Shape *y, DType *y_type)
{
    const Dataset *set = batcher->set;
    *x = set->x.shape;
    x->d[0] = batcher->options.batch_size;
    *x_type = batch_type(&set->x, false);
    *y = (Shape){ 0 };
    *y_type = DTYPE_INT32;
    if (!set->y.data)
        return;
    *y = set->y.shape;
    y->d[0] = batcher->options.batch_size;
    *y_type = batch_type(&set->y, true);
}

static bool check(const Tensor *out, const Tensor *from, int64_t rows, const char *what, Err *err)
{
    if (!from->data)
        return err_set(err, ERR_ARG, "the dataset has no %s", what);
    Shape wanted = from->shape;
    wanted.d[0] = out->shape.rank ? out->shape.d[0] : 0;
    char got[SHAPE_TEXT], text[SHAPE_TEXT];
    if (!out->data || !shape_same(&wanted, &out->shape) || wanted.d[0] < rows) {
        wanted.d[0] = rows;
        return err_set(err, ERR_SHAPE, "a batch of %s wants room of shape %s, got %s", what, shape_text(&wanted, text), shape_text(&out->shape, got));
    }
    if (out->dtype == DTYPE_FLOAT32 || out->dtype == from->dtype || (out->dtype == DTYPE_INT32 && from->dtype == DTYPE_UINT8))
        return true;
    return err_set(err, ERR_ARG, "a batch of %s cannot be turned from %s into %s", what, dtype_name(from->dtype), dtype_name(out->dtype));
}

bool batcher_check(const Batcher *batcher, const Tensor *x, const Tensor *y, Err *err)
{
    int64_t rows = batcher->options.batch_size;
    return check(x, &batcher->set->x, rows, "x", err) && (!y || check(y, &batcher->set->y, rows, "y", err));
}

static void convert_row(Tensor *out, size_t at, const Tensor *from, size_t from_at, size_t n)
{
    if (out->dtype == DTYPE_FLOAT32 && from->dtype == DTYPE_UINT8)
        kern_from_bytes(tensor_real(out) + at, tensor_byte(from) + from_at, (int64_t)n);
    else if (out->dtype == DTYPE_FLOAT32)
        for (size_t i = 0; i < n; i++)
            tensor_real(out)[at + i] = (real)tensor_int(from)[from_at + i];
    else
        for (size_t i = 0; i < n; i++)
            tensor_int(out)[at + i] = tensor_byte(from)[from_at + i];
}

void batcher_gather(Tensor *out, const Tensor *from, const int64_t *rows, int64_t n)
{
    size_t width = (size_t)shape_count_from(&from->shape, 1), size = width * dtype_size(from->dtype);
    out->shape.d[0] = n;
    for (int64_t i = 0; i < n; i++) {
        if (out->dtype == from->dtype)
            memcpy((char *)out->data + (size_t)i * size, (const char *)from->data + (size_t)rows[i] * size, size);
        else
            convert_row(out, (size_t)i * width, from, (size_t)rows[i] * width, width);
    }
}

int64_t batcher_next(Batcher *batcher, Tensor *x, Tensor *y)
{
    if (batcher->step >= batcher->steps)
        return 0;
    batcher->step++;
    int64_t n;
    const int64_t *rows = batcher_rows(batcher, &n);
    batcher_gather(x, &batcher->set->x, rows, n);
    if (y)
        batcher_gather(y, &batcher->set->y, rows, n);
    return n;
}

const int64_t *batcher_rows(const Batcher *batcher, int64_t *n)
{
    int64_t size = batcher->options.batch_size, first = (batcher->step - 1) * size;
    if (batcher->step < 1) {
        *n = 0;
        return batcher->order;
    }
    *n = batcher->n - first < size ? batcher->n - first : size;
    return batcher->order + first;
}
