// SPDX-License-Identifier: MIT
/* For the generated sets of points in the plane: room for them, normal noise, and the shuffled result. */
#ifndef DATA_POINTS_H
#define DATA_POINTS_H

#include "base/rng.h"
#include "data/dataset.h"

typedef struct Points {
    Tensor x, y; /* [n, F] float32, [n] int32; references until points_finish */
    real *at;    /* x's elements */
    int32_t *label;
    int64_t n, F;
    Rng rng;
    uint64_t seed;
} Points;

/* The arguments that all of them have: n, noise, seed, in rows 0, 1, 2 of their tables. */
#define POINTS_N(count) { .name = "n", .type = ARG_INT, .fallback = count, .least = 1, .most = 1e7, .help = "how many points" }
#define POINTS_NOISE(size) { .name = "noise", .type = ARG_FLOAT, .fallback = size, .least = 0, .most = 100, .help = "deviation of the normal noise on every coordinate" }
#define POINTS_SEED { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 1e15, .help = "of the noise and the order; nil: the session's" }

/* Fails: ERR_MEM. */
MUST_USE bool points_new(Points *points, const Args *args, int64_t F, uint64_t seed, Err *err);

/* Add noise to all coordinates, shuffle, hand over as the train part. Ends the Points, also on failure. */
MUST_USE bool points_finish(Points *points, const char *name, double noise, int n_classes, DataParts *out, Err *err);

#endif
