// SPDX-License-Identifier: MIT
#include <math.h>

#include "data/points.h"

static const ArgSpec args[] = {
    POINTS_N("100"), POINTS_NOISE("0.05"), POINTS_SEED,
    { .name = "factor", .type = ARG_FLOAT, .fallback = "0.5", .least = 0, .most = 1, .open_most = true, .help = "radius of the inner circle; the outer one has 1" },
};

static bool make(const Args *given, const char *path, uint64_t seed, DataParts *out, Err *err)
{
    Points points;
    (void)path;
    if (!points_new(&points, given, 2, seed, err))
        return false;
    int64_t n_outer = points.n / 2, n_inner = points.n - n_outer;
    for (int64_t i = 0; i < points.n; i++) {
        bool inner = i >= n_outer;
        int64_t k = inner ? i - n_outer : i, n = inner ? n_inner : n_outer;
        double angle = 6.283185307179586 * (double)k / (double)n, r = inner ? args_float(given, "factor") : 1;
        points.at[2 * i] = (real)(r * cos(angle));
        points.at[2 * i + 1] = (real)(r * sin(angle));
        points.label[i] = inner;
    }
    return points_finish(&points, "circles", args_float(given, "noise"), 2, out, err);
}

const DataSet set_circles = {
    .name = "circles",
    .doc = "data.circles(n = 100, noise = 0.05, seed = nil, factor = 0.5): a circle inside another; class 1 is the inner one.\n"
           "x [n, 2] float32, y [n] int32.  As scikit-learn's make_circles.",
    .example = "local d = data.circles(60, {noise = 0}); assert(#d.x == 60)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .make = make,
};
