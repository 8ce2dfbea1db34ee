// SPDX-License-Identifier: MIT
/* A block of four random words gives four normal numbers. Source: Box and Muller 1958. */
#include "autograd/noise.h"

#include <math.h>

#include "base/pool.h"
#include "base/rng.h"
#include "tensor/kern.h"

#define PER_BLOCK 4

typedef struct Work {
    const OpCall *call;
    real *factor;
    double deviation;
    bool times;
    int64_t n;
    size_t n_blocks, n_tiles;
} Work;

/* From two words: uniform numbers in (0, 1] and [0, 1) as radius and angle. */
static void pair(double z[2], uint32_t a, uint32_t b)
{
    double radius = sqrt(-2 * log(((double)a + 1) / 4294967296.0)), angle = 6.283185307179586477 * ((double)b / 4294967296.0);
    z[0] = radius * cos(angle);
    z[1] = radius * sin(angle);
}

static void tile(void *ctx, size_t number, int worker)
{
    (void)worker;
    const Work *work = ctx;
    const real *x = tensor_real(&work->call->in[0]);
    real *y = tensor_real(&work->call->out);
    size_t end = pool_first(work->n_blocks, work->n_tiles, number + 1);
    for (size_t block = pool_first(work->n_blocks, work->n_tiles, number); block < end; block++) {
        uint32_t word[4];
        double z[PER_BLOCK];
        rng_block(word, work->call->seed, RNG_DROPOUT, work->call->step, (uint32_t)block);
        pair(z, word[0], word[1]);
        pair(z + 2, word[2], word[3]);
        for (int64_t i = (int64_t)block * PER_BLOCK, k = 0; k < PER_BLOCK && i < work->n; i++, k++) {
            real disturbance = (real)(work->deviation * z[k]), by = 1 + disturbance;
            y[i] = work->times ? x[i] * by : x[i] + disturbance;
            if (work->factor)
                work->factor[i] = by;
        }
    }
}

void noise_apply(const OpCall *call, double deviation, bool times, real *factor)
{
    Work work = { .call = call, .factor = factor, .deviation = deviation, .times = times, .n = shape_count(&call->out.shape) };
    work.n_blocks = (size_t)((work.n + PER_BLOCK - 1) / PER_BLOCK);
    work.n_tiles = pool_tiles(work.n_blocks, 300);
    pool_run(work.n_blocks > 0 ? work.n_tiles : 0, tile, &work);
}
