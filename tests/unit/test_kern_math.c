// SPDX-License-Identifier: MIT
#include "check.h"

#include "base/mem.h"
#include "base/pool.h"
#include "tensor/kern.h"

static Err err;

typedef void (*ArrayFn)(real *, const real *, int64_t);

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static const struct {
    const char *name;
    ArrayFn fn;
    double (*exact)(double);
    double ulps;
} functions[] = { { "exp", kern_exp, exp, 2 },
                  { "log", kern_log, log, 2 },
                  { "tanh", kern_tanh, tanh, 3 },
                  { "sigmoid", kern_sigmoid, sigmoid, 3 },
                  { "erf", kern_erf, erf, 3 } };

#ifndef HEBB_F64
/* Distance from the true value in units of its last place as a float. */
static double error_ulps(float got, double want)
{
    if (isnan(want) || isinf((float)want))
        return isnan(want) ? (isnan(got) ? 0 : INFINITY) : got == (float)want ? 0 : INFINITY;
    float size = fabsf((float)want), unit = nextafterf(size, INFINITY) - size;
    return fabs((double)got - want) / (double)(size < 1.2e-38f ? 1.5e-45f * 8 : unit);
}

/* Floats of every sign and size: their bits in even steps over all 2^32 patterns. */
static void test_accuracy(void **state)
{
    (void)state;
    enum { N = 4096 };
    static float x[N], y[N];
    for (size_t f = 0; f < COUNT_OF(functions); f++)
        for (uint64_t first = 0; first < (uint64_t)1 << 32; first += (uint64_t)N * 4099) {
            for (int i = 0; i < N; i++) {
                uint32_t bits = (uint32_t)(first + (uint64_t)i * 4099);
                memcpy(&x[i], &bits, sizeof bits);
            }
            functions[f].fn(y, x, N);
            for (int i = 0; i < N; i++) {
                double off = error_ulps(y[i], functions[f].exact((double)x[i]));
                if (!(off <= functions[f].ulps))
                    fail_msg("%s(%.9g) = %.9g is off by %.2f units", functions[f].name, (double)x[i], (double)y[i], off);
            }
        }
}
#endif

static void test_special(void **state)
{
    (void)state;
    real x[] = { 0, (real)-0.0, INFINITY, -INFINITY, NAN, 1000, -1000 }, y[7];
    kern_exp(y, x, 7);
    assert_true(y[0] == 1 && y[1] == 1 && isinf(y[2]) && y[3] == 0 && isnan(y[4]) && isinf(y[5]) && y[6] == 0);
    kern_log(y, x, 7);
    assert_true(isinf(y[0]) && y[0] < 0 && isinf(y[1]) && y[1] < 0 && isinf(y[2]) && isnan(y[3]) && isnan(y[4]) && isnan(y[6]));
    kern_tanh(y, x, 7);
    assert_true(y[0] == 0 && y[2] == 1 && y[3] == -1 && isnan(y[4]) && y[5] == 1 && y[6] == -1);
    kern_sigmoid(y, x, 7);
    assert_true((double)y[0] == 0.5 && y[2] == 1 && y[3] == 0 && isnan(y[4]) && y[5] == 1 && y[6] == 0);
    kern_erf(y, x, 7);
    assert_true(y[0] == 0 && y[2] == 1 && y[3] == -1 && isnan(y[4]) && y[5] == 1 && y[6] == -1);
}

/* Every length, also in place: nothing beyond the end is touched, and the position in the array does not change a value. */
static void test_lengths(void **state)
{
    (void)state;
    for (size_t f = 0; f < COUNT_OF(functions); f++)
        for (int n = 0; n < 40; n++) {
            real x[41], y[41], z[41];
            for (int i = 0; i < 41; i++)
                x[i] = z[i] = (real)(0.1 + i * 0.07), y[i] = -7;
            functions[f].fn(y, x, n);
            functions[f].fn(z, z, n);
            assert_true(y[n] == -7);
            assert_memory_equal(y, z, (size_t)n * sizeof(real));
            assert_true(z[n] == x[n]);
        }
}

static void test_vectors(void **state)
{
    (void)state;
    enum { N = 100003 }; /* several blocks and a rest */
    real *x = mem_alloc(N, sizeof(real), &err), *y = mem_alloc(N, sizeof(real), &err);
    uint8_t *bytes = mem_alloc(N, 1, &err);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        x[i] = (real)((i * 7919) % 1000) / 1000;
        bytes[i] = (uint8_t)i;
        sum += (double)x[i];
        squares += (double)x[i] * (double)x[i];
    }
    assert_near(kern_sum(x, N), sum, 1e-7);
    assert_near(kern_sum_squares(x, N), squares, 1e-7);
    for (int threads = 1; threads <= 4; threads *= 2) { /* the same bits */
        static double sums[2];
        assert_ok(pool_start(threads, &err));
        double now[2] = { kern_sum(x, N), kern_sum_squares(x, N) };
        pool_stop();
        if (threads > 1)
            assert_memory_equal(now, sums, sizeof now);
        memcpy(sums, now, sizeof now);
    }
    assert_near(kern_max(x, N), 0.999, 1e-6);
    assert_true(kern_max(x, 0) < -1e30);
    kern_fill(y, 2, N);
    kern_axpy(y, 3, x, N);
    kern_add_to(y, x, N);
    kern_scale(y, (real)0.5, N);
    for (int i = 0; i < N; i++)
        assert_near(y[i], (2 + 4 * (double)x[i]) / 2, 1e-6);
    kern_copy(y, x, N);
    assert_memory_equal(y, x, N * sizeof(real));
    kern_from_bytes(y, bytes, N);
    assert_true(y[0] == 0 && y[255] == 255 && y[N - 1] == (N - 1) % 256);
    assert_true(kern_finite(x, N) && kern_finite(x, 0));
    for (int i = 0; i < N; i += 9973) { /* wherever it stands */
        real before = x[i];
        x[i] = i % 2 ? (real)NAN : (real)INFINITY;
        assert_false(kern_finite(x, N));
        x[i] = before;
    }
    mem_free(x);
    mem_free(y);
    mem_free(bytes);
}

/* -Ofast anywhere in the process would remove the tests for NaN and flush denormal numbers to zero. */
static void test_strict_arithmetic(void **state)
{
    (void)state;
    volatile double tiny = 5e-324, nan_value = NAN;
    assert_true(tiny > 0 && tiny / 1 > 0);
    assert_true(isnan(nan_value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifndef HEBB_F64
        cmocka_unit_test(test_accuracy),
#endif
        cmocka_unit_test(test_special),  cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_vectors),  cmocka_unit_test(test_strict_arithmetic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
