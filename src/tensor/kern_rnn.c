// SPDX-License-Identifier: MIT
/* Packed weights are panels of TILE_WIDTH columns, [K, TILE_WIDTH] each, the last one filled up with zeros: the inner product of
 * kern_tile reads them in one straight run. A product goes through K in blocks, so that the block of `a` and that of a panel stay in
 * the first cache. BLAS would pack the same weights anew at every step. */
#include "tensor/kern_rnn.h"

#include <string.h>

#include "base/pool.h"
#include "tensor/kern_tile.h"

#define BLOCK 256 /* of K */

static int64_t panels(int64_t N)
{
    return (N + TILE_WIDTH - 1) / TILE_WIDTH;
}

int64_t kern_rnn_packed(int64_t K, int64_t N)
{
    return panels(N) * K * TILE_WIDTH;
}

static void pack_panel(void *ctx, size_t panel, int worker)
{
    const RnnWeights *w = ctx;
    int64_t first = (int64_t)panel * TILE_WIDTH, width = w->N - first < TILE_WIDTH ? w->N - first : TILE_WIDTH;
    real *to = w->packed + first * w->K;
    (void)worker;
    if (width < TILE_WIDTH)
        memset(to, 0, (size_t)(w->K * TILE_WIDTH) * sizeof *to);
    if (!w->trans) {
        for (int64_t k = 0; k < w->K; k++)
            memcpy(to + k * TILE_WIDTH, w->w + k * w->ldw + first, (size_t)width * sizeof *to);
        return;
    }
    for (int64_t k = 0; k < w->K; k += TILE_WIDTH)
        for (int64_t j = 0; j < width; j++)
            for (int64_t i = k; i < k + TILE_WIDTH && i < w->K; i++)
                to[i * TILE_WIDTH + j] = w->w[(first + j) * w->ldw + i];
}

void kern_rnn_pack(const RnnWeights *weights)
{
    if (weights->packed)
        pool_run((size_t)panels(weights->N), pack_panel, (void *)(uintptr_t)weights);
}

void kern_rnn_product(real *y, int64_t ldy, const real *a, int64_t lda, const RnnWeights *weights, int64_t rows, bool add)
{
    const RnnWeights *w = weights;
    if (!w->packed) {
        kern_gemm_one(false, w->trans, rows, w->N, w->K, 1, a, lda, w->w, w->ldw, add ? 1 : 0, y, ldy);
        return;
    }
    const TileKernels *kernels = kern_tile(KERN_TILE_BEST);
    TileLine line = { .n = rows, .step = lda, .n_lines = 1, .n_taps = 1, .ldb = TILE_WIDTH, .ldy = ldy };
    for (int64_t k = 0; k < w->K; k += BLOCK) {
        line.run = w->K - k < BLOCK ? w->K - k : BLOCK;
        line.add = add || k > 0;
        for (int64_t first = 0; first < w->N; first += TILE_WIDTH) {
            line.width = w->N - first < TILE_WIDTH ? w->N - first : TILE_WIDTH;
            kernels->line(&line, y + first, a + k, w->packed + first * w->K + k * TILE_WIDTH);
        }
    }
}

/* ---- element by element ---- */

KERN_CLONES void kern_mul(real *y, const real *a, const real *b, int64_t n)
{
    KERN_EACH
    for (int64_t i = 0; i < n; i++)
        y[i] = a[i] * b[i];
}

KERN_CLONES void kern_mul_add(real *y, const real *a, const real *b, int64_t n)
{
    KERN_EACH
    for (int64_t i = 0; i < n; i++)
        y[i] += a[i] * b[i];
}

/* ---- LSTM ---- */

KERN_CLONES static void lstm_cell(real *restrict c, const real *restrict z, const real *restrict c_prev, int64_t U)
{
    for (int64_t u = 0; u < U; u++)
        c[u] = z[U + u] * c_prev[u] + z[u] * z[2 * U + u];
}

void kern_lstm(real *h, real *c, real *z, const real *bias, const real *c_prev, int64_t U, KernAct act, KernAct rec)
{
    kern_act_rows(rec, z, bias, 1, 2 * U);
    kern_act_rows(act, z + 2 * U, bias ? bias + 2 * U : NULL, 1, U);
    kern_act_rows(rec, z + 3 * U, bias ? bias + 3 * U : NULL, 1, U);
    lstm_cell(c, z, c_prev, U);
    memcpy(h, c, (size_t)U * sizeof *h);
    kern_act_rows(act, h, NULL, 1, U);
    kern_mul(h, h, z + 3 * U, U);
}

/* With a = act(c) and t = the part of dc that comes through h. */
KERN_CLONES static void lstm_gates_back(real *restrict dz, real *restrict dc, const real *restrict dh, const real *restrict z,
                                        const real *restrict c_prev, const real *restrict a, const real *restrict t, int64_t U)
{
    for (int64_t u = 0; u < U; u++) {
        real d = dc[u] + t[u];
        dz[u] = d * z[2 * U + u];
        dz[U + u] = d * c_prev[u];
        dz[2 * U + u] = d * z[u];
        dz[3 * U + u] = dh[u] * a[u];
        dc[u] = d * z[U + u];
    }
}

void kern_lstm_back(real *dz, real *dc, const real *dh, const real *z, const real *c, const real *c_prev, real *spare, int64_t U,
                    KernAct act, KernAct rec)
{
    real *a = spare, *t = spare + U;
    memcpy(a, c, (size_t)U * sizeof *a);
    kern_act_rows(act, a, NULL, 1, U);
    kern_mul(t, dh, z + 3 * U, U);
    kern_act_back(act, t, t, a, U);
    lstm_gates_back(dz, dc, dh, z, c_prev, a, t, U);
    kern_act_back(rec, dz, dz, z, 2 * U);
    kern_act_back(act, dz + 2 * U, dz + 2 * U, z + 2 * U, U);
    kern_act_back(rec, dz + 3 * U, dz + 3 * U, z + 3 * U, U);
}

/* ---- GRU ---- */

KERN_CLONES void kern_gru_mix(real *h, const real *z, const real *g, const real *h_prev, int64_t U)
{
    KERN_EACH
    for (int64_t u = 0; u < U; u++)
        h[u] = z[u] * h_prev[u] + (1 - z[u]) * g[u];
}

KERN_CLONES void kern_gru_unmix(real *restrict dz, real *restrict dg, real *restrict dh, const real *z, const real *g,
                                const real *h_prev, int64_t U)
{
    for (int64_t u = 0; u < U; u++) {
        dz[u] = dh[u] * (h_prev[u] - g[u]);
        dg[u] = dh[u] * (1 - z[u]);
        dh[u] *= z[u];
    }
}
