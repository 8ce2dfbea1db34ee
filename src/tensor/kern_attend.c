// SPDX-License-Identifier: MIT
/* One block: scores = scale q k^T for up to ATTEND_ROWS queries of one sample and head, masked, as exp(score - max) by rows.
 *   y  = p v / sum                       p: the block's weights, after dropout
 *   dv = p^T dy      dp = dy v^T         ds = p (dp - rowsum(dy y)) scale
 *   dq = ds k        dk = ds^T q
 * A masked score counts as MASKED, as Keras's softmax does it: where all of a row is masked, all keys weigh the same. */
#include "tensor/kern_attend.h"

#include <math.h>

#include "base/pool.h"
#include "base/rng.h"
#include "tensor/kern.h"
#include "tensor/kern_fun.h"
#include "tensor/kern_row.h"

#define PER_WORD 2 /* dropped or not: 16 bits each */
#define PER_BLOCK 8
#define MASKED ((real)-1e9)

typedef struct Block {
    int64_t b, h, first, rows, keys; /* queries first … first+rows-1 against keys 0 … keys-1 */
} Block;

static int64_t n_blocks(const Attend *a)
{
    return (a->T + ATTEND_ROWS - 1) / ATTEND_ROWS;
}

int64_t kern_attend_scratch(const Attend *a, bool backward)
{
    int64_t rows = a->T < ATTEND_ROWS ? a->T : ATTEND_ROWS, block = rows * ((a->S + ROW_LANES - 1) / ROW_LANES * ROW_LANES);
    return (backward ? 2 : 1) * block + ROW_LANES;
}

static Block block_at(const Attend *a, int64_t index)
{
    int64_t n = n_blocks(a);
    Block block = { .b = index / n / a->H, .h = index / n % a->H, .first = index % n * ATTEND_ROWS };
    block.rows = a->T - block.first < ATTEND_ROWS ? a->T - block.first : ATTEND_ROWS;
    int64_t seen = block.first + block.rows;
    block.keys = a->causal && !a->mask && seen < a->S ? seen : a->S;
    return block;
}

/* ---- where things stand ---- */

static int64_t at_query(const Attend *a, const Block *k, int64_t size)
{
    return ((k->b * a->T + k->first) * a->H + k->h) * size;
}

static int64_t at_key(const Attend *a, const Block *k, int64_t size)
{
    return (k->b * a->S * a->H + k->h) * size;
}

/* ---- rows of scores ---- */

static void mask_row(const Attend *a, const Block *k, int64_t query, real *row)
{
    if (a->mask) {
        const real *mask = a->mask + k->b * a->mask_b + k->h * a->mask_h + query * a->mask_t;
        for (int64_t j = 0; j < k->keys; j++)
            row[j] = mask[j] > (real)0.5 ? row[j] : MASKED;
    }
    for (int64_t j = query + 1; a->causal && j < k->keys; j++)
        row[j] = MASKED;
}

/* exp(row - max) / sum in place; the log of the sum of exponentials is given back. */
KERN_CLONES static real soften(real *row, int64_t n)
{
    real most = row_max(row, n);
    for (int64_t j = 0; j < n; j++)
        row[j] = fun_exp(row[j] - most);
    real sum = row_sum(row, n), part = 1 / sum;
    for (int64_t j = 0; j < n; j++)
        row[j] *= part;
    return most + fun_log(sum);
}

/* All of the row is masked: its weights are equal and depend on nothing. */
static bool is_blind(real lse)
{
    return lse < MASKED / 2;
}

/* The same weights again, from the kept log. */
KERN_CLONES static void soften_again(real *row, int64_t n, real lse)
{
    for (int64_t j = 0; j < n; j++)
        row[j] = fun_exp(row[j] - lse);
}

/* The factor of each weight of a row: 0 or 1 / (1 - rate), by the position in [B, H, T, S] alone. */
static void drop_row(const Attend *a, const Block *k, int64_t query, real *row)
{
    uint32_t word[4], threshold = (uint32_t)(a->rate * 65536 + 0.5);
    int64_t per_row = (a->S + PER_BLOCK - 1) / PER_BLOCK, base = ((k->b * a->H + k->h) * a->T + query) * per_row;
    real scale = (real)(1 / (1 - a->rate));
    for (int64_t j = 0; j < k->keys; j += PER_BLOCK) {
        rng_block(word, a->seed, RNG_DROPOUT, a->step, (uint32_t)(base + j / PER_BLOCK));
        for (int64_t i = 0; i < PER_BLOCK && j + i < k->keys; i++)
            row[j + i] *= (word[i / PER_WORD] >> (i % PER_WORD * 16) & 0xFFFF) >= threshold ? scale : 0;
    }
}

static void score(const Attend *a, const Block *k, real *p)
{
    kern_gemm_one(false, true, k->rows, k->keys, a->D, a->scale, a->q + at_query(a, k, a->D), a->H * a->D, a->k + at_key(a, k, a->D),
                  a->H * a->D, 0, p, k->keys);
    for (int64_t i = 0; i < k->rows; i++)
        mask_row(a, k, k->first + i, p + i * k->keys);
}

/* ---- forward ---- */

static void forward_tile(void *ctx, size_t tile, int worker)
{
    const Attend *a = ctx;
    Block block = block_at(a, (int64_t)tile), *k = &block;
    real *p = a->scratch + worker * kern_attend_scratch(a, false), *lse = a->lse + (k->b * a->H + k->h) * a->T + k->first;
    score(a, k, p);
    for (int64_t i = 0; i < k->rows; i++) {
        lse[i] = soften(p + i * k->keys, k->keys);
        if (a->rate > 0)
            drop_row(a, k, k->first + i, p + i * k->keys);
    }
    kern_gemm_one(false, false, k->rows, a->V, k->keys, 1, p, k->keys, a->v + at_key(a, k, a->V), a->H * a->V, 0,
                  a->y + at_query(a, k, a->V), a->H * a->V);
}

void kern_attend(const Attend *a)
{
    pool_run((size_t)(a->B * a->H * n_blocks(a)), forward_tile, (void *)(uintptr_t)a);
}

/* ---- backward ---- */

/* dp -> ds: of the weights p before dropout; delta is the row's sum of dy y. */
KERN_CLONES static void slope_row(real *dp, const real *p, int64_t n, real delta, real scale)
{
    for (int64_t j = 0; j < n; j++)
        dp[j] = p[j] * (dp[j] - delta) * scale;
}

KERN_CLONES static real dot_of(const real *x, const real *y, int64_t n)
{
    return row_dot(x, y, n);
}

/* What keys and values gain from one block; what drops is the same in p and dp. */
static void back_block(const Attend *a, const Block *k, real *p, real *dp)
{
    const real *q = a->q + at_query(a, k, a->D), *keys = a->k + at_key(a, k, a->D), *v = a->v + at_key(a, k, a->V);
    const real *y = a->y + at_query(a, k, a->V), *dy = a->dy + at_query(a, k, a->V), *lse = a->lse + (k->b * a->H + k->h) * a->T + k->first;
    int64_t hd = a->H * a->D, hv = a->H * a->V, n = k->keys;
    score(a, k, p);
    kern_gemm_one(false, true, k->rows, n, a->V, 1, dy, hv, v, hv, 0, dp, n);
    for (int64_t i = 0; i < k->rows; i++) {
        bool blind = is_blind(lse[i]);
        if (blind)
            kern_fill(p + i * n, 1 / (real)n, n);
        else
            soften_again(p + i * n, n, lse[i]);
        if (a->rate > 0)
            drop_row(a, k, k->first + i, dp + i * n);
        slope_row(dp + i * n, p + i * n, n, dot_of(dy + i * hv, y + i * hv, a->V), blind ? 0 : a->scale);
        if (a->rate > 0)
            drop_row(a, k, k->first + i, p + i * n);
    }
    if (a->dv)
        kern_gemm_one(true, false, n, a->V, k->rows, 1, p, n, dy, hv, 1, a->dv + at_key(a, k, a->V), hv);
    if (a->dk)
        kern_gemm_one(true, false, n, a->D, k->rows, 1, dp, n, q, hd, 1, a->dk + at_key(a, k, a->D), hd);
    if (a->dq)
        kern_gemm_one(false, false, k->rows, a->D, n, 1, dp, n, keys, hd, a->add_q ? 1 : 0, a->dq + at_query(a, k, a->D), hd);
}

static void clear_head(real *x, int64_t S, int64_t size, int64_t apart)
{
    for (int64_t s = 0; x && s < S; s++)
        kern_fill(x + s * apart, 0, size);
}

/* All blocks of one sample and head, in order: they add to the same keys. */
static void back_tile(void *ctx, size_t tile, int worker)
{
    const Attend *a = ctx;
    real *p = a->scratch + worker * kern_attend_scratch(a, true), *dp = p + kern_attend_scratch(a, false);
    for (int64_t i = 0, n = n_blocks(a); i < n; i++) {
        Block block = block_at(a, (int64_t)tile * n + i), *k = &block;
        if (i == 0 && a->dk && !a->add_k)
            clear_head(a->dk + at_key(a, k, a->D), a->S, a->D, a->H * a->D);
        if (i == 0 && a->dv && !a->add_v)
            clear_head(a->dv + at_key(a, k, a->V), a->S, a->V, a->H * a->V);
        back_block(a, k, p, dp);
    }
}

void kern_attend_back(const Attend *a)
{
    pool_run((size_t)(a->B * a->H), back_tile, (void *)(uintptr_t)a);
}

/* ---- the weights for all to see ---- */

typedef struct Weights {
    const Attend *a;
    const real *p;
    real *out;
} Weights;

static void weights_tile(void *ctx, size_t tile, int worker)
{
    const Weights *w = ctx;
    const Attend *a = w->a;
    (void)worker;
    Block block = block_at(a, (int64_t)tile), *k = &block;
    k->keys = a->S;
    real *p = w->out + ((k->b * a->H + k->h) * a->T + k->first) * a->S;
    score(a, k, p);
    for (int64_t i = 0; i < k->rows; i++)
        a->lse[(k->b * a->H + k->h) * a->T + k->first + i] = soften(p + i * a->S, a->S);
}

void kern_attend_weights(const Attend *a, real *p)
{
    Weights w = { .a = a, .out = p };
    pool_run((size_t)(a->B * a->H * n_blocks(a)), weights_tile, &w);
}

static void weights_back_tile(void *ctx, size_t tile, int worker)
{
    const Weights *w = ctx;
    const Attend *a = w->a;
    (void)worker;
    Block block = block_at(a, (int64_t)tile * n_blocks(a)), *k = &block;
    int64_t at = (int64_t)tile * a->T * a->S, hd = a->H * a->D;
    for (int64_t t = 0; t < a->T; t++) {
        const real *p = w->p + at + t * a->S;
        real *dp = w->out + at + t * a->S;
        slope_row(dp, p, a->S, dot_of(dp, p, a->S), is_blind(a->lse[(int64_t)tile * a->T + t]) ? 0 : a->scale);
    }
    const real *q = a->q + at_query(a, k, a->D), *keys = a->k + at_key(a, k, a->D);
    if (a->dk)
        kern_gemm_one(true, false, a->S, a->D, a->T, 1, w->out + at, a->S, q, hd, a->add_k ? 1 : 0, a->dk + at_key(a, k, a->D), hd);
    if (a->dq)
        kern_gemm_one(false, false, a->T, a->D, a->S, 1, w->out + at, a->S, keys, hd, a->add_q ? 1 : 0, a->dq + at_query(a, k, a->D), hd);
}

void kern_attend_weights_back(const Attend *a, const real *p, real *dp)
{
    Weights w = { .a = a, .p = p, .out = dp };
    pool_run((size_t)(a->B * a->H), weights_back_tile, &w);
}
