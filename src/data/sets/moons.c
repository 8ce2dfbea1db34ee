// SPDX-License-Identifier: MIT
#include <math.h>

#include "data/points.h"

static const ArgSpec args[] = { POINTS_N("100"), POINTS_NOISE("0.1"), POINTS_SEED };

/* The upper half circle around (0, 0) and the lower one around (1, 0.5), as scikit-learn's make_moons. */
static bool make(const Args *given, const char *path, uint64_t seed, DataParts *out, Err *err)
{
    Points points;
    (void)path;
    if (!points_new(&points, given, 2, seed, err))
        return false;
    int64_t n_upper = points.n / 2, n_lower = points.n - n_upper;
    for (int64_t i = 0; i < points.n; i++) {
        bool lower = i >= n_upper;
        int64_t k = lower ? i - n_upper : i, n = lower ? n_lower : n_upper;
        double angle = n > 1 ? 3.141592653589793 * (double)k / (double)(n - 1) : 0;
        points.at[2 * i] = (real)(lower ? 1 - cos(angle) : cos(angle));
        points.at[2 * i + 1] = (real)(lower ? 0.5 - sin(angle) : sin(angle));
        points.label[i] = lower;
    }
    return points_finish(&points, "moons", args_float(given, "noise"), 2, out, err);
}

const DataSet set_moons = {
    .name = "moons",
    .doc = "data.moons(n = 100, noise = 0.1, seed = nil): two interleaved half circles.\n"
           "x [n, 2] float32, y [n] int32.  As scikit-learn's make_moons.",
    .example = "local d = data.moons(50); assert(#d.x == 50)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .make = make,
};
