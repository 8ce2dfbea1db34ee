// SPDX-License-Identifier: MIT
/* Each level's inner products against their definition. The widest body is also compiled here for any processor, so that its
 * bookkeeping is tested on machines without AVX-512. */
#include "check.h"

#include "base/mem.h"
#include "tensor/kern_tile.h"

#pragma GCC diagnostic ignored "-Wpsabi"
#define TILE_NAME(x) wide_##x
#define TILE_TARGET
#define TILE_VECTOR 64
#define TILE_ROWS 12
#include "tensor/kern_tile_body.h"

static Err err;
static const TileKernels wide = { "wide", wide_line, wide_sum };

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

static void compare(const TileKernels *k, const char *what, int64_t n, real got, double want)
{
    if (!(fabs((double)got - want) <= 1e-5))
        fail_msg("%s, %s, n = %ld: %g, wanted %g", k->name, what, (long)n, (double)got, want);
}

static void check_line(const TileKernels *k, const TileLine *t)
{
    real *a = noise(20000, 1), *b = noise(20000, 2), *y = noise(2000, 3), *old = noise(2000, 3);
    k->line(t, y, a, b);
    for (int64_t i = 0; i < t->n; i++)
        for (int64_t f = 0; f < t->ldy; f++) {
            double want = f >= t->width || t->add ? (double)old[i * t->ldy + f] : 0;
            int64_t row = 0;
            for (int64_t u = 0; u < t->n_lines; u++)
                for (int64_t v = 0; v < t->n_taps; v++)
                    for (int64_t j = 0; j < t->run; j++, row++)
                        if (f < t->width)
                            want += (double)a[i * t->step + u * t->line + v * t->tap + j] * (double)b[row * t->ldb + f];
            compare(k, "line", t->n, y[i * t->ldy + f], want);
        }
    mem_free(a), mem_free(b), mem_free(y), mem_free(old);
}

static void check_sum(const TileKernels *k, const TileSum *t)
{
    real *a = noise(20000, 1), *b = noise(20000, 2), *sum = noise(2000, 3), *old = noise(2000, 3);
    k->sum(t, sum, a, b);
    for (int64_t j = 0; j < t->run; j++)
        for (int64_t f = 0; f < t->ldsum; f++) {
            double want = (double)old[j * t->ldsum + f];
            for (int64_t p = 0; p < t->n_images * t->n_rows * t->n && f < t->width; p++) {
                int64_t i = p % t->n, r = p / t->n % t->n_rows, m = p / t->n / t->n_rows;
                want += (double)a[m * t->a_image + r * t->a_row + i * t->step + j] * (double)b[p * t->ldb + f];
            }
            compare(k, "sum", t->run, sum[j * t->ldsum + f], want);
        }
    mem_free(a), mem_free(b), mem_free(sum), mem_free(old);
}

static void check_kernels(const TileKernels *k)
{
    for (int64_t n = 1; n < 40; n++) {
        check_line(k, &(TileLine){ n, 3, 3, 200, 1, 0, 9, 16, 17, 16, n % 2 });
        check_line(k, &(TileLine){ n, 4, 2, 180, 3, 8, 2, 20, 20, 16, false });
        check_line(k, &(TileLine){ n, 5, 1, 0, 1, 0, 5, 16, 7, 1 + n % 7, n % 3 });
        check_sum(k, &(TileSum){ 1, 3, 7, 0, 90, 5, 16, n, 16, 16 });
        check_sum(k, &(TileSum){ 2, 2, 5, 400, 150, 8, 24, n, 30, 1 + n % 16 });
    }
    check_line(k, &(TileLine){ 5, 3, 0, 0, 1, 0, 9, 16, 16, 16, false }); /* no line of taps: zeros */
    check_sum(k, &(TileSum){ 0, 2, 5, 400, 150, 8, 24, 7, 16, 16 });
}

static void test_levels(void **state)
{
    (void)state;
    for (int level = 0; level <= KERN_TILE_BEST; level++)
        check_kernels(kern_tile(level));
    check_kernels(&wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_levels) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
