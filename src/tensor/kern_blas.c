// SPDX-License-Identifier: MIT
/* Matrix products: OpenBLAS, single-threaded, called from tiles of our own pool. The longer of M and N is cut into tiles whose
 * length depends on the sizes alone. Tiny products are done by plain loops (a call of OpenBLAS costs as much as some 4000
 * multiply-adds), products with a vector by gemv. OpenBLAS prints complaints and returns when a size does not suit it: what
 * reaches it is checked here, and what its int cannot express goes to the plain loops. */
#include <cblas.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "tensor/kern.h"

#define GEMM_LOOPS_MOST 4096 /* multiply-adds below which plain loops are faster */
#define GEMM_TILE 2.0e6      /* multiply-adds that a tile should have */
#define GEMM_STEP 48         /* tiles are multiples of this: whole register blocks of every kernel of OpenBLAS (16, 24, 6, 12) */

#ifdef HEBB_F64
#define blas_gemm cblas_dgemm
#define blas_gemv cblas_dgemv
#else
#define blas_gemm cblas_sgemm
#define blas_gemv cblas_sgemv
#endif

typedef struct Gemm {
    bool ta, tb;
    int64_t M, N, K;
    real alpha;
    const real *a;
    int64_t lda;
    const real *b;
    int64_t ldb;
    real beta;
    real *c;
    int64_t ldc;
    bool by_rows; /* tiles cut M, not N */
    size_t n_tiles;
} Gemm;

/* The limit is global in OpenBLAS's pthread build and per thread in its OpenMP build: every thread sets it. */
static void limit_threads(void)
{
    static _Thread_local bool done;
    if (done)
        return;
    openblas_set_num_threads(1);
    done = true;
}

static void scale_rows(const Gemm *g)
{
    for (int64_t i = 0; i < g->M; i++)
        for (int64_t j = 0; j < g->N; j++)
            g->c[i * g->ldc + j] = g->beta == 0 ? 0 : g->beta * g->c[i * g->ldc + j];
}

/* b [K, N] as it stands: rows of b are added to rows of c. */
KERN_CLONES static void loops_rows(const Gemm *g)
{
    int64_t sa = g->ta ? 1 : g->lda, sk = g->ta ? g->lda : 1;
    for (int64_t i = 0; i < g->M; i++) {
        real *restrict c = g->c + i * g->ldc;
        for (int64_t k = 0; k < g->K; k++) {
            real a = g->alpha * g->a[i * sa + k * sk];
            const real *restrict b = g->b + k * g->ldb;
            for (int64_t j = 0; j < g->N; j++)
                c[j] += a * b[j];
        }
    }
}

/* b stored [N, K]: each element of c is a product of two rows (or of a column and a row). */
KERN_CLONES static void loops_dots(const Gemm *g)
{
    int64_t sa = g->ta ? 1 : g->lda, sk = g->ta ? g->lda : 1;
    for (int64_t i = 0; i < g->M; i++)
        for (int64_t j = 0; j < g->N; j++) {
            const real *a = g->a + i * sa, *b = g->b + j * g->ldb;
            real lane[8] = { 0 }, total = 0;
            int64_t k = 0;
            for (; k + 8 <= g->K; k += 8)
                for (int l = 0; l < 8; l++)
                    lane[l] += a[(k + l) * sk] * b[k + l];
            for (; k < g->K; k++)
                total += a[k * sk] * b[k];
            for (int l = 0; l < 8; l++)
                total += lane[l];
            g->c[i * g->ldc + j] += g->alpha * total;
        }
}

static void run_loops(const Gemm *g)
{
    if (g->beta != 1)
        scale_rows(g);
    if (g->tb)
        loops_dots(g);
    else
        loops_rows(g);
}

/* One of M, N is 1. gemv would multiply a NaN in c by beta = 0, so c is cleared first. */
static void run_vector(const Gemm *g)
{
    Gemm h = *g;
    if (h.beta == 0) {
        scale_rows(&h);
        h.beta = 1;
    }
    if (h.N == 1)
        blas_gemv(CblasRowMajor, h.ta ? CblasTrans : CblasNoTrans, (int)(h.ta ? h.K : h.M), (int)(h.ta ? h.M : h.K), h.alpha, h.a,
                  (int)h.lda, h.b, (int)(h.tb ? 1 : h.ldb), h.beta, h.c, (int)h.ldc);
    else
        blas_gemv(CblasRowMajor, h.tb ? CblasNoTrans : CblasTrans, (int)(h.tb ? h.N : h.K), (int)(h.tb ? h.K : h.N), h.alpha, h.b,
                  (int)h.ldb, h.a, (int)(h.ta ? h.lda : 1), h.beta, h.c, 1);
}

/* What BLAS asks for: sizes that fit an int, row distances no smaller than the rows. */
static bool suits_blas(const Gemm *g)
{
    int64_t row_a = g->ta ? g->M : g->K, row_b = g->tb ? g->K : g->N;
    return g->M <= INT_MAX && g->N <= INT_MAX && g->K <= INT_MAX && g->lda <= INT_MAX && g->ldb <= INT_MAX && g->ldc <= INT_MAX &&
           g->lda >= row_a && g->ldb >= row_b && g->ldc >= g->N;
}

static void run_one(const Gemm *g)
{
    if (g->M <= 0 || g->N <= 0)
        return;
    if (g->K <= 0 || g->alpha == 0) {
        scale_rows(g);
        return;
    }
    if ((double)g->M * (double)g->N * (double)g->K <= GEMM_LOOPS_MOST || !suits_blas(g)) {
        run_loops(g);
        return;
    }
    limit_threads();
    if (g->M == 1 || g->N == 1)
        run_vector(g);
    else
        blas_gemm(CblasRowMajor, g->ta ? CblasTrans : CblasNoTrans, g->tb ? CblasTrans : CblasNoTrans, (int)g->M, (int)g->N,
                  (int)g->K, g->alpha, g->a, (int)g->lda, g->b, (int)g->ldb, g->beta, g->c, (int)g->ldc);
}

static void gemm_tile(void *ctx, size_t tile, int worker)
{
    const Gemm *g = ctx;
    Gemm part = *g;
    int64_t length = g->by_rows ? g->M : g->N, steps = (length + GEMM_STEP - 1) / GEMM_STEP;
    int64_t first = (int64_t)pool_first((size_t)steps, g->n_tiles, tile) * GEMM_STEP;
    int64_t stop = (int64_t)pool_first((size_t)steps, g->n_tiles, tile + 1) * GEMM_STEP;
    (void)worker;
    stop = stop < length ? stop : length;
    if (g->by_rows) {
        part.M = stop - first;
        part.a += g->ta ? first : first * g->lda;
        part.c += first * g->ldc;
    } else {
        part.N = stop - first;
        part.b += g->tb ? first * g->ldb : first;
        part.c += first;
    }
    run_one(&part);
}

void kern_gemm_one(bool ta, bool tb, int64_t M, int64_t N, int64_t K, real alpha, const real *a, int64_t lda, const real *b,
                   int64_t ldb, real beta, real *c, int64_t ldc)
{
    run_one(&(Gemm){ ta, tb, M, N, K, alpha, a, lda, b, ldb, beta, c, ldc, false, 1 });
}

void kern_gemm(bool ta, bool tb, int64_t M, int64_t N, int64_t K, real alpha, const real *a, int64_t lda, const real *b,
               int64_t ldb, real beta, real *c, int64_t ldc)
{
    Gemm g = { ta, tb, M, N, K, alpha, a, lda, b, ldb, beta, c, ldc, M > N, 1 };
    double tiles = (double)M * (double)N * (double)K / GEMM_TILE, most = (double)(((M > N ? M : N) + GEMM_STEP - 1) / GEMM_STEP);
    if (tiles > most)
        tiles = most;
    g.n_tiles = tiles < 2 ? 1 : tiles > 256 ? 256 : (size_t)tiles;
    if (g.n_tiles == 1)
        run_one(&g);
    else
        pool_run(g.n_tiles, gemm_tile, &g);
}

/* ---- which kernels OpenBLAS uses ---- */

const char *kern_blas_core(void)
{
    return openblas_get_corename();
}

static int core_level(const char *core)
{
    static const char *const wide[] = { "SkylakeX", "Cooperlake", "Sapphirerapids" }, *const middle[] = { "Haswell", "Zen",
                                                                                                          "Excavator" };
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (!strcmp(core, wide[i]))
            return 3;
    for (size_t i = 0; i < sizeof middle / sizeof *middle; i++)
        if (!strcmp(core, middle[i]))
            return 2;
    return 1;
}

static int processor_level(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        return 3;
    return __builtin_cpu_supports("avx2") ? 2 : 1;
#else
    return 1;
#endif
}

const char *kern_blas_warning(void)
{
    static _Thread_local char text[240];
    const char *forced = getenv("OPENBLAS_CORETYPE"), *core = kern_blas_core();
    if (!forced || !*forced || core_level(core) >= processor_level())
        return NULL;
    snprintf(text, sizeof text,
             "OPENBLAS_CORETYPE=%.40s makes OpenBLAS use its %.40s kernels, which are slower than this processor allows; "
             "start with  env -u OPENBLAS_CORETYPE hebb",
             forced, core);
    return text;
}
