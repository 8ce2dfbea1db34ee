// SPDX-License-Identifier: MIT
#include "tensor/kern_tile.h"

#include <string.h>

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpsabi"
#elif defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi" /* vectors never cross a call here */
#endif

#define TILE_NAME(x) plain_##x
#define TILE_TARGET
#define TILE_VECTOR 16
#if defined(__aarch64__)
#define TILE_ROWS 6
#else
#define TILE_ROWS 3
#endif
#include "tensor/kern_tile_body.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define TILE_NAME(x) avx2_##x
#define TILE_TARGET __attribute__((target("avx2,fma")))
#define TILE_VECTOR 32
#define TILE_ROWS 6
#include "tensor/kern_tile_body.h"

#define TILE_NAME(x) avx512_##x
#define TILE_TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")))
#define TILE_VECTOR 64
#define TILE_ROWS 12
#include "tensor/kern_tile_body.h"

static int processor_level(void)
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw"))
        return 2;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 1 : 0;
}

const TileKernels *kern_tile(int level)
{
    static const TileKernels levels[] = { { "plain", plain_line, plain_sum },
                                          { "avx2", avx2_line, avx2_sum },
                                          { "avx512", avx512_line, avx512_sum } };
    int most = processor_level();
    return &levels[level < most ? level : most];
}
#else
const TileKernels *kern_tile(int level)
{
    static const TileKernels plain = { "plain", plain_line, plain_sum };
    (void)level;
    return &plain;
}
#endif
