// SPDX-License-Identifier: MIT
#include "check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/pool.h"
#include "tensor/kern.h"

static Err err;

static real *noise(size_t n, uint32_t seed)
{
    real *x = mem_alloc(n, sizeof(real), &err);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (real)(seed >> 8) / 16777216 - (real)0.5;
    }
    return x;
}

typedef void (*GemmFn)(bool, bool, int64_t, int64_t, int64_t, real, const real *, int64_t, const real *, int64_t, real, real *,
                       int64_t);

/* One product with rows `pad` elements longer than needed, against the definition in double. */
static void check_product(GemmFn fn, bool ta, bool tb, int64_t M, int64_t N, int64_t K, real alpha, real beta, int64_t pad)
{
    int64_t lda = (ta ? M : K) + pad, ldb = (tb ? K : N) + pad, ldc = N + pad;
    real *a = noise((size_t)((ta ? K : M) * lda) + 1, 1), *b = noise((size_t)((tb ? N : K) * ldb) + 1, 2);
    real *c = noise((size_t)(M * ldc) + 1, 3), *old = noise((size_t)(M * ldc) + 1, 3);
    if (beta == 0 && M * N > 0)
        c[0] = NAN; /* must not be read */
    fn(ta, tb, M, N, K, alpha, a, lda, b, ldb, beta, c, ldc);
    for (int64_t i = 0; i < M; i++)
        for (int64_t j = 0; j < ldc; j++) {
            double want = (double)old[i * ldc + j];
            if (j < N) {
                double sum = 0;
                for (int64_t k = 0; k < K; k++)
                    sum += (double)(ta ? a[k * lda + i] : a[i * lda + k]) * (double)(tb ? b[j * ldb + k] : b[k * ldb + j]);
                want = (double)alpha * sum + (beta == 0 ? 0 : (double)beta * want);
            }
            if (fabs((double)c[i * ldc + j] - want) > 2e-6 * (10 + (double)K / 4))
                fail_msg("%d%d %ld x %ld x %ld: element %ld, %ld is %g, wanted %g", ta, tb, (long)M, (long)N, (long)K, (long)i,
                         (long)j, (double)c[i * ldc + j], want);
        }
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(old);
}

static void test_products(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = { { 1, 1, 1 },     { 32, 4, 2 },    { 2, 4, 32 },    { 3, 5, 7 },
                                        { 1, 300, 40 },  { 300, 1, 40 },  { 1, 1, 9000 },  { 17, 33, 65 },
                                        { 64, 48, 100 }, { 130, 70, 20 }, { 32, 512, 99 }, { 0, 4, 4 },
                                        { 4, 0, 4 },     { 4, 4, 0 },     { 700, 65, 97 }, { 65, 700, 97 } };
    static const real scales[][2] = { { 1, 0 }, { 1, 1 }, { 2, (real)0.5 }, { 0, (real)0.5 } };
    assert_ok(pool_start(2, &err));
    for (size_t s = 0; s < COUNT_OF(sizes); s++)
        for (int t = 0; t < 4; t++)
            for (size_t k = 0; k < COUNT_OF(scales); k++) {
                int64_t pad = (int64_t)(s + k) % 3;
                check_product(kern_gemm, t & 1, t >> 1, sizes[s][0], sizes[s][1], sizes[s][2], scales[k][0], scales[k][1], pad);
                check_product(kern_gemm_one, t & 1, t >> 1, sizes[s][0], sizes[s][1], sizes[s][2], scales[k][0], scales[k][1], pad);
            }
    pool_stop();
}

/* The same bits for any number of threads. */
static void test_threads(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {
        { 32, 512, 784 }, { 784, 512, 32 }, { 1000, 10, 64 }, { 10, 1000, 641 }, { 333, 301, 257 }
    };
    for (size_t s = 0; s < COUNT_OF(sizes); s++)
        for (int t = 0; t < 4; t++) {
            int64_t M = sizes[s][0], N = sizes[s][1], K = sizes[s][2];
            real *a = noise((size_t)(M * K), 1), *b = noise((size_t)(K * N), 2), *c[3];
            for (int p = 0; p < 3; p++) {
                c[p] = noise((size_t)(M * N), 3);
                assert_ok(pool_start(1 << p, &err));
                kern_gemm(t & 1, t >> 1, M, N, K, 1, a, t & 1 ? M : K, b, t >> 1 ? K : N, 0, c[p], N);
                pool_stop();
                assert_memory_equal(c[0], c[p], (size_t)(M * N) * sizeof(real));
            }
            for (int p = 0; p < 3; p++)
                mem_free(c[p]);
            mem_free(a);
            mem_free(b);
        }
}

static void test_core(void **state)
{
    (void)state;
    assert_true(strlen(kern_blas_core()) > 0);
    const char *warning = kern_blas_warning();
    if (!getenv("OPENBLAS_CORETYPE"))
        assert_null(warning);
    else if (warning)
        assert_non_null(strstr(warning, kern_blas_core()));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_products), cmocka_unit_test(test_threads),
                                        cmocka_unit_test(test_core) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
