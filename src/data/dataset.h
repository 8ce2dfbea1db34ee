// SPDX-License-Identifier: MIT
/* Datasets: samples x and targets y with the names that belong to them. Counted and immutable: every operation gives a new
 * Dataset (sharing storage where it can). Raw values: images stay uint8, scaling is a layer or dataset_scale. Any thread.
 *
 * Built-in sets are one const DataSet a file in data/sets/, from which come data.<name>(), its argument checks and help. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "base/arg.h"
#include "tensor/tensor.h"

#define DATASET_NAME 32
#define DATASET_CLASSES_MOST (1 << 20)

typedef struct Dataset {
    _Atomic int refs;
    char name[DATASET_NAME];
    Tensor x;    /* [N, …] any type; reference */
    Tensor y;    /* [N] int32 class numbers from 0, or [N, …] float targets; data NULL: none */
    int n_classes; /* 0: y is no class */
    char (*classes)[DATASET_NAME];  /* owned, n_classes names; NULL: numbers */
    int n_features;
    char (*features)[DATASET_NAME]; /* owned, names of x's last axis; NULL: none */
    char *text;  /* owned: source, licence, what is missing; "" when there is nothing to say */
} Dataset;

/* A new set; takes over the references of x and y (y may be absent), also on failure. Counts classes when y is int32.
 * Fails: ERR_SHAPE when x and y differ in rows, ERR_DATA for a class number below 0 or from
 * DATASET_CLASSES_MOST, ERR_MEM. */
MUST_USE Dataset *dataset_new(const char *name, Tensor *take_x, Tensor *take_y, Err *err);
Dataset *dataset_ref(Dataset *set);
void dataset_unref(Dataset *set);

/* Names and text of a set that nobody else holds yet; copied. Fails: ERR_DATA for fewer names than the classes that y holds,
 * ERR_MEM. */
MUST_USE bool dataset_name_classes(Dataset *set, const char *const *names, int n, Err *err);
MUST_USE bool dataset_name_features(Dataset *set, const char *const *names, int n, Err *err);
MUST_USE bool dataset_set_text(Dataset *set, const char *text, Err *err);

int64_t dataset_rows(const Dataset *set);

/* Rows by number (from 0; may repeat), copied. Fails: ERR_ARG, ERR_MEM. */
MUST_USE Dataset *dataset_take(const Dataset *set, const int64_t *rows, int64_t n, Err *err);

/* Rows first … first+n-1, shared. */
MUST_USE Dataset *dataset_slice(const Dataset *set, int64_t first, int64_t n, Err *err);

/* In another order. */
MUST_USE Dataset *dataset_shuffle(const Dataset *set, uint64_t seed, Err *err);

/* Two parts, the second with `fraction` (0 … 1, both ends excluded) of the rows: the last ones (shared, not copied; as many as
 * Keras's validation_split takes), or drawn by seed after a shuffle; stratified: the same share of every class, rounded.
 * Fails: ERR_ARG when a part would be empty. */
MUST_USE bool dataset_split(const Dataset *set, double fraction, bool shuffle, bool stratified, uint64_t seed, Dataset **first,
                            Dataset **second, Err *err);

#define DATA_CLASSES_MOST 1000000

/* [N] int32 -> [N, n_classes] float32. n_classes 0: the largest number + 1. Fails: ERR_ARG, ERR_DATA (a label out of range). */
MUST_USE bool data_one_hot(const Tensor *labels, int64_t n_classes, Tensor *out, Err *err);

/* How columns of x were scaled, so that other data can be scaled alike: out = (x - offset) / size. offset, size [F] float32. */
typedef struct DataScale {
    Tensor offset, size;
} DataScale;
typedef enum { SCALE_STANDARD, SCALE_MINMAX } ScaleKind; /* mean 0 deviation 1; 0 … 1. A constant column gets size 1. */
MUST_USE bool data_scale_fit(const Tensor *x, ScaleKind kind, DataScale *out, Err *err);
MUST_USE bool data_scale_apply(const DataScale *scale, const Tensor *x, Tensor *out, Err *err);
void data_scale_fini(DataScale *scale);

/* ---- built-in sets ---- */

typedef struct DataParts {
    Dataset *train, *test; /* references; test may be NULL */
} DataParts;

typedef struct DataSet {
    const char *name; /* "digits" */
    const char *doc, *example; /* example NULL where it needs files that do not ship */
    const char *path;  /* what its first argument, a path, is called ("folder"); NULL: takes none */
    const ArgSpec *args;
    int n_args;
    /* seed is used where the argument `seed` is not given. Fails: ERR_IO, ERR_DATA, ERR_ARG, ERR_MEM. */
    bool (*make)(const Args *args, const char *path, uint64_t seed, DataParts *out, Err *err);
} DataSet;

const DataSet *dataset_find(const char *name, Err *err);
const DataSet *dataset_at(int i);

#endif
