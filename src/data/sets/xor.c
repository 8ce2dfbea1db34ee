// SPDX-License-Identifier: MIT
#include "data/points.h"

static const ArgSpec args[] = { POINTS_N("4"), POINTS_NOISE("0"), POINTS_SEED };

static bool make(const Args *given, const char *path, uint64_t seed, DataParts *out, Err *err)
{
    Points points;
    (void)path;
    if (!points_new(&points, given, 2, seed, err))
        return false;
    for (int64_t i = 0; i < points.n; i++) {
        int a = i / 2 % 2, b = i % 2;
        points.at[2 * i] = (real)a;
        points.at[2 * i + 1] = (real)b;
        points.label[i] = a ^ b;
    }
    return points_finish(&points, "xor", args_float(given, "noise"), 2, out, err);
}

const DataSet set_xor = {
    .name = "xor",
    .doc = "data.xor(n = 4, noise = 0, seed = nil): the corners of the unit square; class 1 where exactly one coordinate is 1.\n"
           "x [n, 2] float32, y [n] int32.",
    .example = "local d = data.xor(); assert(#d.x == 4)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .make = make,
};
