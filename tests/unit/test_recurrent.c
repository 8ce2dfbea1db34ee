// SPDX-License-Identifier: MIT
/* The recurrent ops beyond their gradients: a plain loop in double gives the same numbers, masks and directions mean what they should,
 * the same bits come out for any number of threads, bad shapes are refused. */
#include "check.h"

#include "base/pool.h"
#include "opcase.h"

static Err err;

static void begin(Trial *trial, const char *op, const OpCase *c)
{
    assert_ok(trial_init(trial, op_find(op, NULL), c, 3, &err));
    trial_forward(trial);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double at(const Trial *trial, int input, int64_t i)
{
    return tensor_get(&trial->call.in[input], i);
}

/* The sum of column `col` of x[b, t] kernel + h recurrent_kernel (columns in all: G) for one row. */
static double product(const Trial *trial, int input, const double *v, int64_t n, int64_t G, int64_t col)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += v[i] * at(trial, input, i * G + col);
    return sum;
}

enum { T = 5, I = 3, U = 6, B = 7 };

static void test_lstm_loop(void **state)
{
    (void)state;
    static const OpCase c = { .in = { { 3, { B, T, I } }, { 2, { I, 4 * U } }, { 2, { U, 4 * U } }, { 1, { 4 * U } } }, .n_in = 4 };
    Trial trial;
    begin(&trial, "lstm", &c);
    for (int b = 0; b < B; b++) {
        double h[U] = { 0 }, cell[U] = { 0 }, x[I], next[U];
        for (int t = 0; t < T; t++) {
            for (int i = 0; i < I; i++)
                x[i] = at(&trial, 0, (b * T + t) * I + i);
            for (int u = 0; u < U; u++) {
                double z[4];
                for (int g = 0; g < 4; g++)
                    z[g] = product(&trial, 1, x, I, 4 * U, g * U + u) + product(&trial, 2, h, U, 4 * U, g * U + u) + at(&trial, 3, g * U + u);
                cell[u] = sigmoid(z[1]) * cell[u] + sigmoid(z[0]) * tanh(z[2]);
                next[u] = sigmoid(z[3]) * tanh(cell[u]);
            }
            memcpy(h, next, sizeof h);
            for (int u = 0; u < U; u++)
                assert_near(tensor_get(&trial.call.out, (b * T + t) * U + u), h[u], 2e-6);
        }
    }
    trial_fini(&trial);
}

static void test_gru_loop(void **state)
{
    (void)state;
    static const OpCase c = { .in = { { 3, { B, T, I } }, { 2, { I, 3 * U } }, { 2, { U, 3 * U } }, { 2, { 2, 3 * U } } }, .n_in = 4 };
    Trial trial;
    begin(&trial, "gru", &c);
    for (int b = 0; b < B; b++) {
        double h[U] = { 0 }, x[I], next[U];
        for (int t = 0; t < T; t++) {
            for (int i = 0; i < I; i++)
                x[i] = at(&trial, 0, (b * T + t) * I + i);
            for (int u = 0; u < U; u++) {
                double a[3], r[3];
                for (int g = 0; g < 3; g++) {
                    a[g] = product(&trial, 1, x, I, 3 * U, g * U + u) + at(&trial, 3, g * U + u);
                    r[g] = product(&trial, 2, h, U, 3 * U, g * U + u) + at(&trial, 3, (3 + g) * U + u);
                }
                double z = sigmoid(a[0] + r[0]), g = tanh(a[2] + sigmoid(a[1] + r[1]) * r[2]);
                next[u] = z * h[u] + (1 - z) * g;
            }
            memcpy(h, next, sizeof h);
            for (int u = 0; u < U; u++)
                assert_near(tensor_get(&trial.call.out, (b * T + t) * U + u), h[u], 2e-6);
        }
    }
    trial_fini(&trial);
}

/* Cases with a mask: its values are drawn from -1 … 1, and those above 0 count. */
static const OpCase masked[] = {
    { .in = { { 3, { B, T, I } }, { 2, { I, 4 * U } }, { 2, { U, 4 * U } }, { 1, { 4 * U } }, { 2, { B, T } }, { 2, { B, U } }, { 2, { B, U } }, { 2, { B, U } } },
      .n_in = 8,
      .args = "return_state=true" },
    { .in = { { 3, { B, T, I } }, { 2, { I, 3 * U } }, { 2, { U, 3 * U } }, { 2, { 2, 3 * U } }, { 2, { B, T } }, { 2, { B, U } }, { 2, { B, U } } },
      .n_in = 7,
      .args = "return_state=true" },
    { .in = { { 3, { B, T, I } }, { 2, { I, U } }, { 2, { U, U } }, { 1, { U } }, { 2, { B, T } }, { 2, { B, U } }, { 2, { B, U } } },
      .n_in = 7,
      .args = "return_state=true" },
};
static const char *const names[] = { "lstm", "gru", "simple_rnn" };

/* A masked step gives the result of the step before, the first ones 0; the last state is that of the last step that counts, or the
 * first state. */
static void test_masks(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) {
        Trial trial;
        begin(&trial, names[k], &masked[k]);
        int64_t rows = trial.call.out.shape.d[1];
        assert_int_equal(rows, T + (k == 0 ? 2 : 1));
        const real *out = tensor_real(&trial.call.out);
        bool some_masked = false, some_late = false;
        for (int b = 0; b < B; b++) {
            bool seen = false;
            for (int t = 0; t < T; t++) {
                bool counts = at(&trial, 4, b * T + t) > 0;
                seen = seen || counts;
                some_masked = some_masked || (seen && !counts);
                some_late = some_late || !seen;
                for (int u = 0; u < U; u++) {
                    const real *y = out + (b * rows + t) * U + u;
                    if (!counts)
                        assert_true(*y == (seen ? y[-U] : 0));
                    else
                        assert_true(*y != 0);
                }
            }
            for (int u = 0; u < U; u++)
                assert_true(out[(b * rows + T) * U + u] == (seen ? out[(b * rows + T - 1) * U + u] : (real)at(&trial, 6, b * U + u)));
        }
        assert_true(some_masked && some_late);
        trial_fini(&trial);
    }
}

/* Backwards is forwards on the reversed sequence. */
static void test_backwards(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) {
        OpCase c = masked[k];
        c.args = "return_state=true go_backwards=true";
        Trial forward, backward;
        begin(&forward, names[k], &masked[k]);
        begin(&backward, names[k], &c);
        for (int i = 0; i < 5; i += 4)
            for (int b = 0; b < B; b++)
                for (int t = 0; t < T; t++)
                    for (int j = 0; j < (i ? 1 : I); j++)
                        tensor_set(&backward.call.in[i], (b * T + T - 1 - t) * (i ? 1 : I) + j, at(&forward, i, (b * T + t) * (i ? 1 : I) + j));
        trial_forward(&backward);
        assert_memory_equal(tensor_real(&forward.call.out), tensor_real(&backward.call.out), tensor_size(&forward.call.out));
        trial_fini(&forward);
        trial_fini(&backward);
    }
}

/* ---- the same bits for any number of threads ---- */

static uint64_t hash(const real *data, int64_t n, uint64_t sum)
{
    const unsigned char *bytes = (const unsigned char *)data;
    for (size_t i = 0; i < (size_t)n * sizeof *data; i++)
        sum = (sum ^ bytes[i]) * 1099511628211u;
    return sum;
}

static uint64_t run_once(const char *op, const OpCase *c)
{
    Trial trial;
    begin(&trial, op, c);
    uint64_t sum = hash(tensor_real(&trial.call.out), tensor_count(&trial.call.out), 1);
    trial_backward(&trial, false, -1);
    for (int i = 0; i < c->n_in; i++)
        sum = hash(trial.grads[i], tensor_count(&trial.call.in[i]), sum);
    trial_fini(&trial);
    return sum;
}

static void test_threads(void **state)
{
    (void)state;
    enum { W = 40 };
    static const OpCase cases[] = {
        { .in = { { 3, { 50, 9, 20 } }, { 2, { 20, 4 * W } }, { 2, { W, 4 * W } }, { 1, { 4 * W } }, { 2, { 50, 9 } } }, .n_in = 5 },
        { .in = { { 3, { 50, 9, 20 } }, { 2, { 20, 3 * W } }, { 2, { W, 3 * W } }, { 2, { 2, 3 * W } }, { 2, { 50, 9 } } }, .n_in = 5 },
        { .in = { { 3, { 50, 9, 20 } }, { 2, { 20, W } }, { 2, { W, W } }, { 1, { W } }, { 2, { 50, 9 } } }, .n_in = 5 },
    };
    for (int k = 0; k < 3; k++) {
        uint64_t want = run_once(names[k], &cases[k]);
        for (int threads = 2; threads <= 4; threads *= 2) {
            assert_ok(pool_start(threads, &err));
            uint64_t got = run_once(names[k], &cases[k]);
            pool_stop();
            if (got != want)
                fail_msg("%s gives other bits with %d threads", names[k], threads);
        }
    }
}

/* ---- shapes ---- */

static bool try(const char *op, const OpCase *c)
{
    Trial trial;
    bool done = trial_init(&trial, op_find(op, NULL), c, 1, &err);
    trial_fini(&trial);
    return done;
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *op;
        OpCase c;
        const char *part;
    } rows[] = {
        { "lstm", { .in = { { 2, { 2, 3 } }, { 2, { 3, 8 } }, { 2, { 2, 8 } } }, .n_in = 3 }, "wants sequences (batch, time, features), got shape (2, 3)" },
        { "lstm", { .in = { { 3, { 2, 3, 3 } }, { 2, { 4, 8 } }, { 2, { 2, 8 } } }, .n_in = 3 }, "kernel must have shape (3, 8), got (4, 8)" },
        { "lstm", { .in = { { 3, { 2, 3, 3 } }, { 2, { 3, 8 } }, { 2, { 2, 6 } } }, .n_in = 3 }, "recurrent_kernel must have shape (2, 8), got (2, 6)" },
        { "lstm", { .in = { { 3, { 2, 3, 3 } }, { 2, { 3, 8 } }, { 2, { 2, 8 } }, { 1, { 4 } } }, .n_in = 4 }, "bias must have shape (8), got (4)" },
        { "gru", { .in = { { 3, { 2, 3, 3 } }, { 2, { 3, 6 } }, { 2, { 2, 6 } }, { 1, { 6 } } }, .n_in = 4 }, "bias must have shape (2, 6), got (6)" },
        { "gru", { .in = { { 3, { 2, 3, 3 } }, { 2, { 3, 6 } }, { 2, { 2, 6 } }, { 2, { 2, 6 } }, { 2, { 2, 4 } } }, .n_in = 5 }, "mask must have shape (2, 3), got (2, 4)" },
        { "simple_rnn", { .in = { { 3, { 2, 3, 3 } }, { 2, { 3, 2 } }, { 2, { 2, 2 } } }, .n_in = 3, .args = "stateful=true" }, "stateful wants first states" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_err(try(rows[i].op, &rows[i].c), ERR_SHAPE, rows[i].part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lstm_loop), cmocka_unit_test(test_gru_loop), cmocka_unit_test(test_masks),
        cmocka_unit_test(test_backwards), cmocka_unit_test(test_threads),  cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("recurrent", tests, NULL, NULL);
}
