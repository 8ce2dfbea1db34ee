// SPDX-License-Identifier: MIT
#include "check.h"

#include "nn/init.h"

static void fill(const char *text, real *value, Shape shape, uint64_t seed)
{
    Err err;
    const Initializer *init;
    Args args;
    if (!init_parse(text, &init, &args, &err))
        fail_msg("%s: %s", text, err.text);
    Rng rng;
    rng_init(&rng, seed, RNG_INIT_WEIGHTS, 0);
    init_fill(init, &args, value, &shape, &rng);
}

#define N (200 * 300)
static real a[N], b[N];

static void moments(const real *x, double *mean, double *deviation, double *most)
{
    double sum = 0, squares = 0;
    *most = 0;
    for (int i = 0; i < N; i++) {
        sum += x[i];
        squares += (double)x[i] * x[i];
        *most = fmax(*most, fabs((double)x[i]));
    }
    *mean = sum / N;
    *deviation = sqrt(squares / N - *mean * *mean);
}

static void test_distributions(void **state)
{
    (void)state;
    /* fans 200 and 300 */
    static const struct {
        const char *name;
        double deviation, most;
    } rows[] = {
        { "glorot_uniform", 0.0632456, 0.1095445 }, /* sqrt(2/500), sqrt(6/500) */
        { "he_uniform", 0.1, 0.1732051 },
        { "glorot_normal", 0.0632456, 2 * 0.0632456 / 0.87962566 },
        { "he_normal", 0.1, 2 * 0.1 / 0.87962566 },
        { "lecun_uniform", 0.0707107, 0.1224745 }, /* sqrt(1/200), sqrt(3/200) */
        { "lecun_normal", 0.0707107, 2 * 0.0707107 / 0.87962566 },
        { "random_uniform", 0.0288675, 0.05 }, /* 0.05 / sqrt(3) */
        { "uniform(-2, 2)", 1.1547005, 2 },
        { "truncated_normal", 0.05 * 0.87962566, 0.1 },
        { "truncated_normal(stddev=0.5)", 0.5 * 0.87962566, 1 },
        { "variance_scaling", 0.0707107, 2 * 0.0707107 / 0.87962566 },
        { "variance_scaling(2, fan_out, uniform)", 0.0816497, 0.1414214 }, /* sqrt(2/300), sqrt(6/300) */
        { "variance_scaling(mode=fan_avg, distribution=uniform)", 0.0632456, 0.1095445 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        double mean, deviation, most;
        fill(rows[i].name, a, SHAPE(200, 300), 5);
        moments(a, &mean, &deviation, &most);
        assert_true(fabs(mean) < 5 * rows[i].deviation / sqrt(N));
        assert_near(deviation / rows[i].deviation, 1, 0.01);
        assert_true(most <= rows[i].most * 1.000001);
        assert_true(most > 0.99 * rows[i].most);
    }
}

/* A normal distribution that is not cut: deviation, and how much lies beyond 1, 2 and 3 of them. */
static void test_normal(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double mean, deviation;
    } rows[] = {
        { "random_normal", 0, 0.05 }, { "normal(1, 2)", 1, 2 }, { "variance_scaling(distribution=untruncated_normal)", 0, 0.0707107 },
    };
    static const double beyond[] = { 0.317311, 0.0455003, 0.0026998 };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        double mean, deviation, most, d = rows[i].deviation;
        fill(rows[i].name, a, SHAPE(200, 300), 6);
        moments(a, &mean, &deviation, &most);
        assert_true(fabs(mean - rows[i].mean) < 5 * d / sqrt(N));
        assert_near(deviation / d, 1, 0.01);
        for (int k = 0; k < 3; k++) {
            int n = 0;
            for (int j = 0; j < N; j++)
                n += fabs((double)a[j] - rows[i].mean) > (k + 1) * d;
            assert_near((double)n / N, beyond[k], 5 * sqrt(beyond[k] / N));
        }
    }
    fill("truncated_normal(3, 0.5)", a, SHAPE(200, 300), 6);
    double mean, deviation, most;
    moments(a, &mean, &deviation, &most);
    assert_near(mean, 3, 5 * 0.5 / sqrt(N));
    assert_true(most <= 4.000001);
}

/* q [rows, cols]: the shorter side's vectors have length gain and stand at right angles. */
static void check_orthogonal(const real *q, int64_t rows, int64_t cols, double gain)
{
    bool wide = rows < cols;
    int64_t n = wide ? rows : cols, length = wide ? cols : rows;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            double dot = 0;
            for (int64_t k = 0; k < length; k++)
                dot += (double)(wide ? q[i * cols + k] : q[k * cols + i]) * (double)(wide ? q[j * cols + k] : q[k * cols + j]);
            assert_near(dot, i == j ? gain * gain : 0, 2e-6);
        }
}

static void test_matrices(void **state)
{
    (void)state;
    Err err;
    fill("orthogonal", a, SHAPE(64, 64), 3);
    check_orthogonal(a, 64, 64, 1);
    fill("orthogonal(2)", a, SHAPE(40, 100), 3);
    check_orthogonal(a, 40, 100, 2);
    fill("orthogonal", a, SHAPE(3, 3, 8, 40), 3); /* a kernel [72, 40] */
    check_orthogonal(a, 72, 40, 1);
    fill("orthogonal", a, SHAPE(1, 4), 3);
    check_orthogonal(a, 1, 4, 1);
    fill("identity(gain=3)", a, SHAPE(2, 3), 3);
    for (int i = 0; i < 6; i++)
        assert_true(a[i] == (i == 0 || i == 4 ? 3 : 0));
    assert_err(init_check(init_find("identity", NULL), &(Shape){ 3, { 2, 2, 2 } }, &err), ERR_SHAPE, "fills weights of 2 axes, got shape (2, 2, 2)");
    assert_err(init_check(init_find("orthogonal", NULL), &(Shape){ 1, { 5 } }, &err), ERR_SHAPE, "at least 2 axes");
    assert_ok(init_check(init_find("zeros", NULL), &(Shape){ 1, { 5 } }, &err));
}

static void test_same_seed(void **state)
{
    (void)state;
    for (int i = 0; init_at(i); i++) {
        fill(init_at(i)->name, a, SHAPE(200, 300), 7);
        fill(init_at(i)->name, b, SHAPE(200, 300), 7);
        assert_memory_equal(a, b, sizeof a);
        for (int k = 0; k < N; k++)
            assert_true((double)a[k] == (double)(float)a[k]);
        fill(init_at(i)->name, b, SHAPE(200, 300), 8);
        bool same = !memcmp(a, b, sizeof a), constant = (a[0] == a[1] && a[1] == a[2]) || !strcmp(init_at(i)->name, "identity");
        assert_true(same == constant);
    }
}

static void test_constants(void **state)
{
    (void)state;
    fill("zeros", a, SHAPE(2, 3), 1);
    assert_true(a[0] == 0 && a[5] == 0);
    fill("ones", a, SHAPE(2, 3), 1);
    assert_true(a[0] == 1 && a[5] == 1);
    fill("constant(0.25)", a, SHAPE(2, 3), 1);
    assert_true(a[0] == (real)0.25 && a[5] == (real)0.25);
    fill("constant(value=-2)", a, SHAPE(6), 1);
    assert_true(a[5] == -2);
    fill("constant", a, SHAPE(6), 1);
    assert_true(a[5] == 0);
    fill("zeros()", a, SHAPE(6), 1);
}

static void test_fans(void **state)
{
    (void)state;
    static const struct {
        Shape shape;
        double in, out;
    } rows[] = {
        { { 0, { 0 } }, 1, 1 }, { { 1, { 7 } }, 7, 7 }, { { 2, { 3, 5 } }, 3, 5 }, { { 4, { 3, 2, 8, 16 } }, 48, 96 }, { { 3, { 3, 8, 16 } }, 24, 48 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        double in, out;
        init_fans(&rows[i].shape, &in, &out);
        assert_near(in, rows[i].in, 0);
        assert_near(out, rows[i].out, 0);
    }
}

static void test_table(void **state)
{
    (void)state;
    int n = 0;
    for (; init_at(n); n++) {
        assert_string_equal(init_at(n)->name, init_names()[n]);
        assert_true(init_at(n)->doc && strlen(init_at(n)->doc) > 8);
        assert_ptr_equal(init_find(init_names()[n], NULL), init_at(n));
    }
    assert_true(n >= 7);
    assert_null(init_names()[n]);
    assert_null(init_at(-1));
}

static void test_mistakes(void **state)
{
    (void)state;
    Err err;
    const Initializer *init;
    Args args;
    assert_err(init_find("glorot_unifrom", &err) != NULL, ERR_NAME, "did you mean \"glorot_uniform\"?");
    assert_err(init_parse("he(2)", &init, &args, &err), ERR_NAME, "he");
    assert_err(init_parse("random_normal(stddev=-1)", &init, &args, &err), ERR_ARG, "stddev must be a number");
    assert_err(init_parse("variance_scaling(0)", &init, &args, &err), ERR_ARG, "scale must be a number");
    assert_err(init_parse("variance_scaling(1, fan_inn)", &init, &args, &err), ERR_ARG, "fan_in");
    assert_err(init_parse("constant(x)", &init, &args, &err), ERR_ARG, "value must be a number");
    assert_err(init_parse("constant(nan)", &init, &args, &err), ERR_ARG, "value");
    assert_err(init_parse("constant(1, 2)", &init, &args, &err), ERR_ARG, "takes 1 argument");
    assert_err(init_parse("constant(size=2)", &init, &args, &err), ERR_ARG, "takes 1 argument");
    assert_err(init_parse("constant(1", &init, &args, &err), ERR_ARG, "closing bracket");
    assert_err(init_parse("constant(1) ", &init, &args, &err), ERR_ARG, "closing bracket");
    assert_err(init_parse("zeros(1)", &init, &args, &err), ERR_ARG, "takes 0 arguments");
    assert_err(init_parse("", &init, &args, &err), ERR_NAME, "no initializer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distributions), cmocka_unit_test(test_same_seed), cmocka_unit_test(test_normal), cmocka_unit_test(test_matrices), cmocka_unit_test(test_constants),
        cmocka_unit_test(test_fans),          cmocka_unit_test(test_table),     cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
