// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "data/points.h"

static const ArgSpec args[] = {
    POINTS_N("100"),
    { .name = "noise", .type = ARG_FLOAT, .fallback = "1", .least = 0, .most = 100, .help = "deviation of a blob" },
    POINTS_SEED,
    { .name = "classes", .type = ARG_INT, .fallback = "3", .least = 1, .most = 1000, .help = "how many blobs" },
    { .name = "features", .type = ARG_INT, .fallback = "2", .least = 1, .most = 1000, .help = "coordinates of a point" },
};

/* Centres are uniform in -10 ... 10, as scikit-learn's make_blobs. */
static bool make(const Args *given, const char *path, uint64_t seed, DataParts *out, Err *err)
{
    Points points;
    (void)path;
    int64_t classes = args_int(given, "classes"), F = args_int(given, "features");
    if (!points_new(&points, given, F, seed, err))
        return false;
    real *centres = mem_alloc((size_t)(classes * F), sizeof *centres, err);
    if (!centres) {
        tensor_unref(&points.x);
        tensor_unref(&points.y);
        return false;
    }
    for (int64_t i = 0; i < classes * F; i++)
        centres[i] = (real)(20 * rng_uniform(&points.rng) - 10);
    for (int64_t i = 0; i < points.n; i++) {
        points.label[i] = (int32_t)(i % classes);
        for (int64_t f = 0; f < F; f++)
            points.at[i * F + f] = centres[i % classes * F + f];
    }
    mem_free(centres);
    return points_finish(&points, "blobs", args_float(given, "noise"), (int)classes, out, err);
}

const DataSet set_blobs = {
    .name = "blobs",
    .doc = "data.blobs(n = 100, noise = 1, seed = nil, classes = 3, features = 2): normal clouds around random centres.\n"
           "x [n, features] float32, y [n] int32.  As scikit-learn's make_blobs.",
    .example = "local d = data.blobs(30, {classes = 2}); assert(#d.y == 30)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .make = make,
};
