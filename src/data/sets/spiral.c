// SPDX-License-Identifier: MIT
/* Arms of a spiral from the centre outwards, as in the CS231n case study: radius 0 to 1, angle growing by `turns` of a circle,
 * with noise on the angle in that study and on the coordinates here. */
#include <math.h>

#include "data/points.h"

static const ArgSpec args[] = {
    POINTS_N("300"), POINTS_NOISE("0.02"), POINTS_SEED,
    { .name = "classes", .type = ARG_INT, .fallback = "3", .least = 2, .most = 10, .help = "how many arms" },
    { .name = "turns", .type = ARG_FLOAT, .fallback = "0.64", .least = 0.05, .most = 5, .help = "how far an arm winds, in turns" },
};

static bool make(const Args *given, const char *path, uint64_t seed, DataParts *out, Err *err)
{
    Points points;
    (void)path;
    if (!points_new(&points, given, 2, seed, err))
        return false;
    int64_t classes = args_int(given, "classes"), each = (points.n + classes - 1) / classes;
    double turn = 6.283185307179586;
    for (int64_t i = 0; i < points.n; i++) {
        int64_t arm = i % classes, k = i / classes;
        double r = each > 1 ? (double)k / (double)(each - 1) : 1;
        double angle = turn * (args_float(given, "turns") * r + (double)arm / (double)classes);
        points.at[2 * i] = (real)(r * sin(angle));
        points.at[2 * i + 1] = (real)(r * cos(angle));
        points.label[i] = (int32_t)arm;
    }
    return points_finish(&points, "spiral", args_float(given, "noise"), (int)classes, out, err);
}

const DataSet set_spiral = {
    .name = "spiral",
    .doc = "data.spiral(n = 300, noise = 0.02, seed = nil, classes = 3, turns = 0.64): arms of a spiral, one a class.\n"
           "x [n, 2] float32 in -1 ... 1, y [n] int32.  Source: the CS231n case study (noise differs).",
    .example = "local d = data.spiral(90, {classes = 3}); assert(#d.y == 90)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .make = make,
};
