// SPDX-License-Identifier: MIT
#include "data/dataset.h"

#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "base/rng.h"

static bool count_classes(Dataset *set, Err *err)
{
    if (!set->y.data || set->y.dtype != DTYPE_INT32 || set->y.shape.rank != 1)
        return true;
    const int32_t *y = tensor_int(&set->y);
    for (int64_t i = 0; i < tensor_count(&set->y); i++) {
        if (y[i] < 0)
            return err_set(err, ERR_DATA, "%s: class numbers count from 0, row %lld has %d", set->name, (long long)i + 1, y[i]);
        if (y[i] >= DATASET_CLASSES_MOST)
            return err_set(err, ERR_DATA, "%s: row %lld has class number %d, at most %d is allowed; give numbers to predict as float32", set->name,
                           (long long)i + 1, y[i], DATASET_CLASSES_MOST - 1);
        if (y[i] >= set->n_classes)
            set->n_classes = y[i] + 1;
    }
    return true;
}

static bool check_rows(const Dataset *set, Err *err)
{
    if (set->x.shape.rank < 1)
        return err_set(err, ERR_SHAPE, "%s: samples need an axis of rows, got a single number", set->name);
    if (set->y.data && (set->y.shape.rank < 1 || set->y.shape.d[0] != set->x.shape.d[0])) {
        char x[SHAPE_TEXT], y[SHAPE_TEXT];
        return err_set(err, ERR_SHAPE, "%s: x and y want the same number of rows, got x %s and y %s", set->name, shape_text(&set->x.shape, x),
                       shape_text(&set->y.shape, y));
    }
    return true;
}

Dataset *dataset_new(const char *name, Tensor *take_x, Tensor *take_y, Err *err)
{
    Dataset *set = mem_zero(1, sizeof *set, err);
    if (!set) {
        tensor_unref(take_x);
        if (take_y)
            tensor_unref(take_y);
        return NULL;
    }
    set->refs = 1;
    strncpy(set->name, name, sizeof set->name - 1);
    set->x = *take_x;
    *take_x = (Tensor){ 0 };
    if (take_y) {
        set->y = *take_y;
        *take_y = (Tensor){ 0 };
    }
    set->text = mem_copy_text("", err);
    if (set->text && check_rows(set, err) && count_classes(set, err))
        return set;
    dataset_unref(set);
    return NULL;
}

Dataset *dataset_ref(Dataset *set)
{
    atomic_fetch_add(&set->refs, 1);
    return set;
}

void dataset_unref(Dataset *set)
{
    if (!set || atomic_fetch_sub(&set->refs, 1) != 1)
        return;
    tensor_unref(&set->x);
    tensor_unref(&set->y);
    mem_free(set->classes);
    mem_free(set->features);
    mem_free(set->text);
    mem_free(set);
}

static bool copy_names(char (**to)[DATASET_NAME], const char *const *names, int n, Err *err)
{
    char (*copy)[DATASET_NAME] = mem_zero((size_t)n, DATASET_NAME, err);
    if (!copy)
        return false;
    for (int i = 0; i < n; i++) {
        size_t size = strlen(names[i]) < DATASET_NAME ? strlen(names[i]) : DATASET_NAME - 1;
        while (size > 0 && names[i][size] && ((unsigned char)names[i][size] & 0xC0) == 0x80) /* not within a character */
            size--;
        memcpy(copy[i], names[i], size);
    }
    mem_free(*to);
    *to = copy;
    return true;
}

bool dataset_name_classes(Dataset *set, const char *const *names, int n, Err *err)
{
    if (n < set->n_classes)
        return err_set(err, ERR_DATA, "%s: %d class names, but y holds class number %d", set->name, n, set->n_classes - 1);
    if (!copy_names(&set->classes, names, n, err))
        return false;
    set->n_classes = n;
    return true;
}

bool dataset_name_features(Dataset *set, const char *const *names, int n, Err *err)
{
    if (!copy_names(&set->features, names, n, err))
        return false;
    set->n_features = n;
    return true;
}

bool dataset_set_text(Dataset *set, const char *text, Err *err)
{
    char *copy = mem_copy_text(text, err);
    if (!copy)
        return false;
    mem_free(set->text);
    set->text = copy;
    return true;
}

int64_t dataset_rows(const Dataset *set)
{
    return set->x.shape.d[0];
}

/* A set of other rows with everything else the same. */
static Dataset *derive(const Dataset *from, Tensor *take_x, Tensor *take_y, Err *err)
{
    Dataset *set = dataset_new(from->name, take_x, take_y->data ? take_y : NULL, err);
    if (!set)
        return NULL;
    set->n_classes = from->n_classes;
    set->n_features = from->n_features;
    bool ok = dataset_set_text(set, from->text, err);
    if (ok && from->classes && (ok = (set->classes = mem_alloc((size_t)from->n_classes, DATASET_NAME, err)) != NULL))
        memcpy(set->classes, from->classes, (size_t)from->n_classes * DATASET_NAME);
    if (ok && from->features && (ok = (set->features = mem_alloc((size_t)from->n_features, DATASET_NAME, err)) != NULL))
        memcpy(set->features, from->features, (size_t)from->n_features * DATASET_NAME);
    if (ok)
        return set;
    dataset_unref(set);
    return NULL;
}

static bool take_rows(Tensor *out, const Tensor *from, const int64_t *rows, int64_t n, Err *err)
{
    *out = (Tensor){ 0 };
    if (!from->data)
        return true;
    Shape shape = from->shape;
    shape.d[0] = n;
    if (!tensor_new(out, from->dtype, shape, err))
        return false;
    size_t size = (size_t)shape_count_from(&from->shape, 1) * dtype_size(from->dtype);
    for (int64_t i = 0; i < n; i++)
        memcpy((char *)out->data + (size_t)i * size, (const char *)from->data + (size_t)rows[i] * size, size);
    return true;
}

Dataset *dataset_take(const Dataset *set, const int64_t *rows, int64_t n, Err *err)
{
    for (int64_t i = 0; i < n; i++)
        if (rows[i] < 0 || rows[i] >= dataset_rows(set)) {
            err_set(err, ERR_ARG, "%s has rows 1 to %lld, row %lld was wanted", set->name, (long long)dataset_rows(set), (long long)rows[i] + 1);
            return NULL;
        }
    Tensor x, y;
    if (!take_rows(&x, &set->x, rows, n, err))
        return NULL;
    if (!take_rows(&y, &set->y, rows, n, err)) {
        tensor_unref(&x);
        return NULL;
    }
    return derive(set, &x, &y, err);
}

Dataset *dataset_slice(const Dataset *set, int64_t first, int64_t n, Err *err)
{
    Tensor x = { 0 }, y = { 0 };
    if (!tensor_rows(&x, &set->x, first, n, err))
        return NULL;
    if (set->y.data && !tensor_rows(&y, &set->y, first, n, err)) {
        tensor_unref(&x);
        return NULL;
    }
    return derive(set, &x, &y, err);
}

static int64_t *shuffled_rows(int64_t n, uint64_t seed, RngPurpose purpose, Err *err)
{
    int64_t *rows = mem_alloc((size_t)n, sizeof *rows, err);
    if (!rows)
        return NULL;
    for (int64_t i = 0; i < n; i++)
        rows[i] = i;
    Rng rng;
    rng_init(&rng, seed, purpose, 0);
    rng_shuffle(&rng, rows, n);
    return rows;
}

Dataset *dataset_shuffle(const Dataset *set, uint64_t seed, Err *err)
{
    int64_t n = dataset_rows(set), *rows = shuffled_rows(n, seed, RNG_SPLIT, err);
    Dataset *out = rows ? dataset_take(set, rows, n, err) : NULL;
    mem_free(rows);
    return out;
}

/* Ordered rows -> those of the first part, then those of the second (the last ones of each class), each in the old order. */
static bool stratify(const Dataset *set, const int64_t *rows, int64_t *sorted, double fraction, int64_t *n_first, Err *err)
{
    int64_t n = dataset_rows(set), *stays = mem_zero((size_t)set->n_classes, sizeof *stays, err);
    if (!stays)
        return false;
    const int32_t *y = tensor_int(&set->y);
    for (int64_t i = 0; i < n; i++)
        stays[y[i]]++;
    *n_first = 0;
    for (int c = 0; c < set->n_classes; c++) {
        stays[c] -= (int64_t)((double)stays[c] * fraction + 0.5);
        *n_first += stays[c];
    }
    for (int64_t i = 0, first = 0, second = *n_first; i < n; i++)
        sorted[stays[y[rows[i]]]-- > 0 ? first++ : second++] = rows[i];
    mem_free(stays);
    return true;
}

static bool take_parts(const Dataset *set, const int64_t *rows, int64_t n_first, Dataset **first, Dataset **second, Err *err)
{
    int64_t n = dataset_rows(set);
    if (rows) {
        *first = dataset_take(set, rows, n_first, err);
        *second = *first ? dataset_take(set, rows + n_first, n - n_first, err) : NULL;
    } else {
        *first = dataset_slice(set, 0, n_first, err);
        *second = *first ? dataset_slice(set, n_first, n - n_first, err) : NULL;
    }
    if (*second)
        return true;
    dataset_unref(*first);
    *first = NULL;
    return false;
}

bool dataset_split(const Dataset *set, double fraction, bool shuffle, bool stratified, uint64_t seed, Dataset **first, Dataset **second,
                   Err *err)
{
    int64_t n = dataset_rows(set);
    *first = *second = NULL;
    if (!(fraction > 0 && fraction < 1))
        return err_set(err, ERR_ARG, "split: the fraction must be between 0 and 1, got %g", fraction);
    if (stratified && (set->n_classes == 0 || !set->y.data || set->y.dtype != DTYPE_INT32 || set->y.shape.rank != 1))
        return err_set(err, ERR_ARG, "split: %s has no classes to keep the shares of; leave out stratified", set->name);
    int64_t *rows = NULL, *sorted = NULL, n_first = (int64_t)((double)n * (1 - fraction)); /* Keras's arithmetic */
    bool ok = true;
    if (shuffle || stratified) {
        rows = shuffled_rows(n, seed, RNG_SPLIT, err);
        ok = rows != NULL;
    }
    for (int64_t i = 0; ok && rows && !shuffle && i < n; i++)
        rows[i] = i;
    if (ok && stratified) {
        sorted = mem_alloc((size_t)n, sizeof *sorted, err);
        ok = sorted && stratify(set, rows, sorted, fraction, &n_first, err);
    }
    if (ok && (n_first == 0 || n_first == n))
        ok = err_set(err, ERR_ARG, "split: %g of %lld rows leaves one part empty", fraction, (long long)n);
    ok = ok && take_parts(set, sorted ? sorted : rows, n_first, first, second, err);
    mem_free(rows);
    mem_free(sorted);
    return ok;
}

/* ---- the table ---- */

#define ROW(set) extern const DataSet set_##set;
#include "gen/sets.h"
#undef ROW

static const DataSet *const table[] = {
#define ROW(set) &set_##set,
#include "gen/sets.h"
#undef ROW
    NULL,
};

const DataSet *dataset_at(int i)
{
    int n = (int)(sizeof table / sizeof *table) - 1;
    return i >= 0 && i < n ? table[i] : NULL;
}

static const char *name_at(int i)
{
    return table[i] ? table[i]->name : NULL;
}

const DataSet *dataset_find(const char *name, Err *err)
{
    int i = name_find(name_at, name, "data set", err);
    return i < 0 ? NULL : table[i];
}
