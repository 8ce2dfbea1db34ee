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
        bool same = !memcmp(a, b, sizeof a), constant = a[0] == a[1] && a[1] == a[2];
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
        cmocka_unit_test(test_distributions), cmocka_unit_test(test_same_seed), cmocka_unit_test(test_constants),
        cmocka_unit_test(test_fans),          cmocka_unit_test(test_table),     cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
