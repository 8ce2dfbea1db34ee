// SPDX-License-Identifier: MIT
/* Inverted dropout: kept values are scaled by 1 / (1 - rate), so that nothing changes at inference. Element i is kept when its
 * own 16 random bits, word i / 2 of the call's stream, are at least rate * 65536: the mask depends on the call's seed and the
 * step, not on threads. Source: Srivastava et al. 2014. */
#include "autograd/op.h"
#include "base/pool.h"
#include "base/rng.h"
#include "tensor/kern.h"

#define PER_BLOCK 8 /* elements from one block of four words */

static const ArgSpec args[] = {
    { .name = "rate", .type = ARG_FLOAT, .least = 0, .most = 1, .open_most = true, .help = "share of elements that are set to zero while training" },
};

static double rate_of(const OpCall *call)
{
    return call->args->v[0].u.f;
}

/* saved: one byte an element, 1 where it is kept */
static bool infer(OpCall *call, Err *err)
{
    (void)err;
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = call->in[0].shape;
    bool drops = call->training && rate_of(call) > 0;
    call->alias = !drops;
    if (drops)
        call->saved_size = (size_t)shape_count(&call->out.shape);
    return true;
}

typedef struct Work {
    OpCall *call;
    int64_t n;
    size_t n_blocks, n_tiles;
    uint32_t threshold;
    real scale;
} Work;

static void tile_range(const Work *work, size_t tile, int64_t *first, int64_t *end)
{
    *first = (int64_t)pool_first(work->n_blocks, work->n_tiles, tile) * PER_BLOCK;
    *end = (int64_t)pool_first(work->n_blocks, work->n_tiles, tile + 1) * PER_BLOCK;
    *end = *end > work->n ? work->n : *end;
}

KERN_CLONES static void apply(real *y, const real *x, const uint8_t *keep, real scale, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = keep[i] ? x[i] * scale : 0;
}

static void forward_tile(void *ctx, size_t tile, int worker)
{
    const Work *work = ctx;
    OpCall *call = work->call;
    uint8_t *keep = call->saved;
    (void)worker;
    int64_t first, end;
    tile_range(work, tile, &first, &end);
    for (int64_t i = first; i < end; i += PER_BLOCK) {
        uint32_t word[4];
        rng_block(word, call->seed, RNG_DROPOUT, call->step, (uint32_t)(i / PER_BLOCK));
        for (int64_t j = 0; j < PER_BLOCK && i + j < end; j++)
            keep[i + j] = (word[j / 2] >> (j % 2 * 16) & 0xFFFF) >= work->threshold;
    }
    apply(tensor_real(&call->out) + first, tensor_real(&call->in[0]) + first, keep + first, work->scale, end - first);
}

static void run(OpCall *call, PoolFn tile)
{
    int64_t n = shape_count(&call->out.shape);
    double rate = rate_of(call);
    Work work = { .call = call, .n = n, .n_blocks = (size_t)((n + PER_BLOCK - 1) / PER_BLOCK) };
    work.threshold = (uint32_t)(rate * 65536 + 0.5);
    work.scale = (real)(1 / (1 - rate));
    work.n_tiles = pool_tiles(work.n_blocks, 40);
    pool_run(work.n_tiles, tile, &work);
}

static void forward(OpCall *call)
{
    run(call, forward_tile);
}

KERN_CLONES static void give(real *dx, const real *dy, const uint8_t *keep, real scale, int64_t n, bool add)
{
    for (int64_t i = 0; i < n; i++)
        dx[i] = (add ? dx[i] : 0) + (keep[i] ? dy[i] * scale : 0);
}

static void backward_tile(void *ctx, size_t tile, int worker)
{
    const Work *work = ctx;
    OpCall *call = work->call;
    (void)worker;
    int64_t first, end;
    tile_range(work, tile, &first, &end);
    give(call->din[0] + first, call->dout + first, (const uint8_t *)call->saved + first, work->scale, end - first, call->add[0]);
}

static void backward(OpCall *call)
{
    if (!call->din[0])
        return;
    if (call->alias)
        op_give(call->din[0], call->dout, shape_count(&call->out.shape), call->add[0]);
    else
        run(call, backward_tile);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 5, 7 } } }, .n_in = 1, .args = "rate=0.5", .training = true },
    { .in = { { 3, { 4, 9, 11 } } }, .n_in = 1, .args = "rate=0.2", .training = true },
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "rate=0.5" },
};

const Op op_dropout = {
    .name = "dropout",
    .doc = "dropout(x, rate) -> y: while training, zero for a share of the elements and x / (1 - rate) for the others; else x.\n"
           "Shapes: any -> same.  Source: Srivastava et al. 2014.",
    .example = "local y = op.dropout({1, 2, 3}, 0.5); assert(y[2] == 2)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = args,
    .n_args = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
