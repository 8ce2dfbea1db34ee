// SPDX-License-Identifier: MIT
#include "check.h"

#include "autograd/op.h"
#include "base/mem.h"
#include "base/pool.h"
#include "tensor/kern_norm.h"
#include "tensor/kern_pool.h"

static Err err;

static real *noise(int64_t n, uint32_t seed)
{
    real *x = mem_alloc((size_t)n + 1, sizeof(real), &err);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (real)(seed >> 8) / 16777216 - (real)0.5;
    }
    return x;
}

static const Pooling cases[] = {
    /* B, H, W, C, KH, KW, OH, OW, strides, zeros above and on the left */
    { 2, 4, 4, 3, 2, 2, 2, 2, 2, 2, 0, 0 },       { 3, 5, 7, 2, 3, 2, 3, 3, 1, 2, 0, 0 },  { 1, 5, 5, 20, 3, 3, 5, 5, 1, 1, 1, 1 },
    { 9, 7, 6, 5, 2, 2, 4, 3, 2, 2, 0, 0 },       { 0, 4, 4, 3, 2, 2, 2, 2, 2, 2, 0, 0 },  { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0 },
    { 16, 30, 30, 32, 2, 2, 15, 15, 2, 2, 0, 0 }, { 2, 6, 6, 40, 2, 2, 2, 2, 3, 3, 0, 0 },
};

/* The definition: visit each window's pixels. */
static void compare_with_definition(int row, const Pooling *p, bool max, const real *x, const real *dy, const real *y,
                                    const real *dx)
{
    int64_t n_x = p->B * p->H * p->W * p->C;
    double *want = mem_zero((size_t)n_x + 1, sizeof *want, &err);
    for (int64_t b = 0; b < p->B; b++)
        for (int64_t o = 0; o < p->OH * p->OW; o++)
            for (int64_t c = 0; c < p->C; c++) {
                int64_t best = -1, n = 0, out = (b * p->OH * p->OW + o) * p->C + c, inside[64];
                double sum = 0;
                for (int64_t k = 0; k < p->KH * p->KW; k++) {
                    int64_t h = o / p->OW * p->stride_h - p->pad_top + k / p->KW,
                            w = o % p->OW * p->stride_w - p->pad_left + k % p->KW;
                    if (h < 0 || h >= p->H || w < 0 || w >= p->W)
                        continue;
                    int64_t i = ((b * p->H + h) * p->W + w) * p->C + c;
                    best = best < 0 || x[i] > x[best] ? i : best;
                    sum += (double)x[i];
                    inside[n++] = i;
                }
                if (fabs((double)y[out] - (max ? (double)x[best] : sum / (double)n)) > 1e-6)
                    fail_msg("case %d: y[%ld] is %g", row, (long)out, (double)y[out]);
                for (int64_t k = 0; k < n; k++)
                    want[inside[k]] += max ? (inside[k] == best ? (double)dy[out] : 0) : (double)dy[out] / (double)n;
            }
    for (int64_t i = 0; i < n_x; i++)
        if (fabs((double)dx[i] - want[i]) > 1e-6)
            fail_msg("case %d: dx[%ld] is %g, wanted %g", row, (long)i, (double)dx[i], want[i]);
    mem_free(want);
}

static void test_pooling(void **state)
{
    (void)state;
    for (int row = 0; row < (int)COUNT_OF(cases); row++)
        for (int max = 0; max < 2; max++) {
            const Pooling *p = &cases[row];
            int64_t n_x = p->B * p->H * p->W * p->C, n_y = p->B * p->OH * p->OW * p->C;
            real *x = noise(n_x, 1), *dy = noise(n_y, 2), *first[2] = { NULL, NULL };
            for (int threads = 1; threads <= 4; threads *= 2) {
                real *y = noise(n_y, 3), *dx = noise(n_x, 4);
                int32_t *tap = mem_alloc((size_t)n_y + 1, sizeof *tap, &err);
                assert_ok(pool_start(threads, &err));
                if (max) {
                    kern_pool_max(p, y, NULL, x);
                    kern_pool_max(p, y, tap, x);
                    kern_pool_max_back(p, dx, false, dy, tap);
                } else {
                    kern_pool_mean(p, y, x);
                    kern_pool_mean_back(p, dx, false, dy);
                }
                pool_stop();
                compare_with_definition(row, p, max, x, dy, y, dx);
                if (first[0]) {
                    assert_memory_equal(first[0], y, (size_t)n_y * sizeof(real));
                    assert_memory_equal(first[1], dx, (size_t)n_x * sizeof(real));
                    mem_free(y), mem_free(dx);
                } else
                    first[0] = y, first[1] = dx;
                mem_free(tap);
            }
            mem_free(x), mem_free(dy), mem_free(first[0]), mem_free(first[1]);
        }
}

static void test_largest(void **state)
{
    (void)state;
    Pooling p = { 1, 2, 2, 1, 2, 2, 1, 1, 2, 2, 0, 0 };
    real y, ties[] = { 1, 5, 5, 2 }, with_nan[] = { 1, NAN, 9, NAN }, low[] = { -INFINITY, -INFINITY, -7, -INFINITY };
    int32_t tap;
    kern_pool_max(&p, &y, &tap, ties);
    assert_int_equal(tap, 1); /* the first of equals */
    kern_pool_max(&p, &y, &tap, with_nan);
    assert_true(isnan(y) && tap == 1);
    kern_pool_max(&p, &y, NULL, with_nan);
    assert_true(isnan(y));
    kern_pool_max(&p, &y, &tap, low);
    assert_true(y == -7 && tap == 2);
}

/* ---- batch normalisation ---- */

static void test_moments(void **state)
{
    (void)state;
    static const int64_t sizes[][2] = { { 1, 3 }, { 0, 3 }, { 7, 1 }, { 5000, 16 }, { 300, 513 }, { 40000, 3 } };
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        int64_t N = sizes[s][0], C = sizes[s][1];
        real *x = noise(N * C, 1), *mean = noise(C, 2), *variance = noise(C, 3), *first = NULL;
        void *scratch = mem_alloc(kern_norm_scratch(N, C), 1, &err);
        for (int64_t i = 0; i < N * C; i++)
            x[i] = 1000 + x[i]; /* far from 0: the sum of squares alone would lose all digits */
        for (int threads = 1; threads <= 4; threads *= 2) {
            assert_ok(pool_start(threads, &err));
            kern_norm_moments(mean, variance, x, N, C, scratch);
            pool_stop();
            if (!first) {
                first = mem_alloc((size_t)C, sizeof(real), &err);
                memcpy(first, variance, (size_t)C * sizeof(real));
            }
            assert_memory_equal(first, variance, (size_t)C * sizeof(real));
        }
        for (int64_t c = 0; c < C; c++) {
            double m = 0, v = 0;
            for (int64_t i = 0; i < N; i++)
                m += (double)x[i * C + c] / (double)N;
            for (int64_t i = 0; i < N; i++)
                v += ((double)x[i * C + c] - m) * ((double)x[i * C + c] - m) / (double)N;
            assert_near(mean[c], m, 1e-6);
            assert_near(variance[c], v, 2e-5);
        }
        mem_free(x), mem_free(mean), mem_free(variance), mem_free(first), mem_free(scratch);
    }
}

typedef struct Norm {
    Tensor in[5];
    OpCall call;
    Args args;
} Norm;

/* A call of batch_norm as the tape makes it. */
static void norm_start(Norm *n, int64_t rows, int64_t channels, bool training)
{
    const Op *op = op_find("batch_norm", &err);
    assert_non_null(op);
    memset(n, 0, sizeof *n);
    args_init(&n->args, op->args, op->n_args);
    n->call = (OpCall){ .op = op, .args = &n->args, .n_in = 5, .training = training, .wants_grad = training };
    for (int i = 0; i < 5; i++) {
        Shape shape = i ? SHAPE(channels) : SHAPE(rows, channels);
        n->in[i] = tensor_borrow(DTYPE_FLOAT32, shape, noise(shape_count(&shape), (uint32_t)i + 1));
        n->call.in[i] = n->in[i];
        n->call.has[i] = true;
    }
    assert_ok(op_infer(&n->call, &err));
    n->call.out.data = noise(rows * channels, 9);
    n->call.saved = training ? mem_alloc(n->call.saved_size, 1, &err) : NULL;
    n->call.scratch = mem_alloc(n->call.scratch_size, 1, &err);
}

static void norm_end(Norm *n)
{
    for (int i = 0; i < 5; i++)
        mem_free(n->in[i].data);
    mem_free(n->call.out.data), mem_free(n->call.saved), mem_free(n->call.scratch);
}

/* The moving averages change in commit, not before, and by Keras's rule with the biased variance. */
static void test_moving_averages(void **state)
{
    (void)state;
    Norm n;
    norm_start(&n, 4, 1, true);
    real *x = tensor_real(&n.in[0]), *mean = tensor_real(&n.in[3]), *variance = tensor_real(&n.in[4]);
    memcpy(x, (real[]){ 1, 2, 3, 6 }, 4 * sizeof(real)); /* mean 3, variance (4 + 1 + 0 + 9) / 4 */
    mean[0] = 10, variance[0] = 20;
    n.call.op->forward(&n.call);
    assert_true(mean[0] == 10 && variance[0] == 20);
    n.call.op->commit(&n.call);
    assert_near(mean[0], 0.99 * 10 + 0.01 * 3, 1e-6);
    assert_near(variance[0], 0.99 * 20 + 0.01 * 3.5, 1e-6);
    norm_end(&n);
    norm_start(&n, 4, 1, false);
    mean = tensor_real(&n.in[3]), variance = tensor_real(&n.in[4]);
    mean[0] = 1, variance[0] = 4;
    n.call.op->forward(&n.call);
    double y =
        ((double)tensor_real(&n.in[0])[2] - 1) / sqrt(4.001) * (double)tensor_real(&n.in[1])[0] + (double)tensor_real(&n.in[2])[0];
    assert_near(tensor_real(&n.call.out)[2], y, 1e-6);
    n.call.op->commit(&n.call);
    assert_true(mean[0] == 1 && variance[0] == 4);
    norm_end(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pooling), cmocka_unit_test(test_largest),
                                        cmocka_unit_test(test_moments), cmocka_unit_test(test_moving_averages) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
