// SPDX-License-Identifier: MIT
#include "data/points.h"

bool points_new(Points *points, const Args *args, int64_t F, uint64_t seed, Err *err)
{
    *points = (Points){ .n = args_int(args, "n"), .F = F };
    points->seed = args_given(args, "seed") ? (uint64_t)args_int(args, "seed") : seed;
    rng_init(&points->rng, points->seed, RNG_DATA, 0);
    if (!tensor_new(&points->x, DTYPE_FLOAT32, SHAPE(points->n, F), err))
        return false;
    if (!tensor_new(&points->y, DTYPE_INT32, SHAPE(points->n), err)) {
        tensor_unref(&points->x);
        return false;
    }
    points->at = tensor_real(&points->x);
    points->label = tensor_int(&points->y);
    return true;
}

bool points_finish(Points *points, const char *name, double noise, int n_classes, DataParts *out, Err *err)
{
    for (int64_t i = 0; noise > 0 && i < points->n * points->F; i++)
        points->at[i] += (real)(noise * rng_normal(&points->rng));
    *out = (DataParts){ 0 };
    Dataset *ordered = dataset_new(name, &points->x, &points->y, err);
    if (!ordered)
        return false;
    ordered->n_classes = n_classes;
    out->train = dataset_shuffle(ordered, points->seed, err);
    dataset_unref(ordered);
    return out->train != NULL;
}
