// SPDX-License-Identifier: MIT
/* The functions of kern_fun.h over arrays: blocks of fixed size over the pool. */
#include "base/pool.h"
#include "tensor/kern.h"
#include "tensor/kern_fun.h"

#define MATH_BLOCK 4096

typedef void (*BlockFn)(real *y, const real *x, int64_t n);

#define MATH_BLOCK_FUNCTION(name) \
    KERN_CLONES static void name##_block(real *y, const real *x, int64_t n) \
    { \
        KERN_EACH \
        for (int64_t i = 0; i < n; i++) \
            y[i] = fun_##name(x[i]); \
    }

MATH_BLOCK_FUNCTION(exp)
MATH_BLOCK_FUNCTION(log)
MATH_BLOCK_FUNCTION(tanh)
MATH_BLOCK_FUNCTION(sigmoid)
MATH_BLOCK_FUNCTION(erf)

typedef struct MathJob {
    BlockFn fn;
    real *y;
    const real *x;
    int64_t n;
} MathJob;

static void math_tile(void *ctx, size_t tile, int worker)
{
    MathJob *job = ctx;
    int64_t first = (int64_t)tile * MATH_BLOCK, left = job->n - first;
    (void)worker;
    job->fn(job->y + first, job->x + first, left < MATH_BLOCK ? left : MATH_BLOCK);
}

static void over_pool(BlockFn fn, real *y, const real *x, int64_t n)
{
    if (n <= MATH_BLOCK)
        fn(y, x, n);
    else
        pool_run((size_t)((n + MATH_BLOCK - 1) / MATH_BLOCK), math_tile, &(MathJob){ fn, y, x, n });
}

void kern_exp(real *y, const real *x, int64_t n)
{
    over_pool(exp_block, y, x, n);
}

void kern_log(real *y, const real *x, int64_t n)
{
    over_pool(log_block, y, x, n);
}

void kern_tanh(real *y, const real *x, int64_t n)
{
    over_pool(tanh_block, y, x, n);
}

void kern_sigmoid(real *y, const real *x, int64_t n)
{
    over_pool(sigmoid_block, y, x, n);
}

void kern_erf(real *y, const real *x, int64_t n)
{
    over_pool(erf_block, y, x, n);
}
