// SPDX-License-Identifier: MIT
#include "check.h"

#include "tensor/tensor.h"

static Err err;

#define S(...) ((const Shape[]){ SHAPE(__VA_ARGS__) }) /* its address */

static void test_counts(void **state)
{
    (void)state;
    Shape s = SHAPE(2, 3, 4), none = shape_make(0, NULL), open = SHAPE(-1, 5);
    assert_int_equal(shape_count(&s), 24);
    assert_int_equal(shape_count_from(&s, 1), 12);
    assert_int_equal(shape_count_from(&s, 3), 1);
    assert_int_equal(shape_count(&none), 1);
    assert_int_equal(shape_count(&open), 5);
    assert_true(shape_same(&s, S(2, 3, 4)));
    assert_false(shape_same(&s, S(2, 3)));
    assert_false(shape_same(&s, S(2, 3, 5)));
}

static void test_text(void **state)
{
    (void)state;
    char text[SHAPE_TEXT];
    assert_string_equal(shape_text(S(3, 28, 28), text), "(3, 28, 28)");
    assert_string_equal(shape_text(S(-1, 10), text), "(None, 10)");
    Shape none = shape_make(0, NULL), huge = { .rank = 8 };
    assert_string_equal(shape_text(&none, text), "()");
    for (int i = 0; i < 8; i++)
        huge.d[i] = INT64_MAX;
    assert_true(strlen(shape_text(&huge, text)) < SHAPE_TEXT);
}

static void test_check(void **state)
{
    (void)state;
    Shape ok = SHAPE(0, 5), low = SHAPE(2, -1), big = SHAPE(INT64_MAX), product = SHAPE(1 << 30, 1 << 30), rank = { .rank = 9 };
    Shape hidden = SHAPE(0, INT64_MAX); /* 0 elements, but a size that no index can hold */
    assert_ok(shape_check(&ok, &err));
    assert_err(shape_check(&low, &err), ERR_SHAPE, "(2, None): sizes must be 0 or more");
    assert_err(shape_check(&big, &err), ERR_SHAPE, "more elements");
    assert_err(shape_check(&product, &err), ERR_SHAPE, "more elements");
    assert_err(shape_check(&hidden, &err), ERR_SHAPE, "more elements");
    assert_err(shape_check(&rank, &err), ERR_SHAPE, "0 to 8 axes");
}

static void test_axis(void **state)
{
    (void)state;
    Shape s = SHAPE(2, 3, 4), none = shape_make(0, NULL);
    int axis = -7;
    assert_ok(shape_axis(&s, -1, &axis, "sum", &err));
    assert_int_equal(axis, 2);
    assert_ok(shape_axis(&s, 0, &axis, "sum", &err));
    assert_int_equal(axis, 0);
    assert_err(shape_axis(&s, 3, &axis, "sum", &err), ERR_ARG,
               "sum: shape (2, 3, 4) has axes -3 to 2 (-1 is the last), got axis 3");
    assert_err(shape_axis(&s, -4, &axis, "sum", &err), ERR_ARG, "got axis -4");
    assert_err(shape_axis(&s, INT64_MIN, &axis, "sum", &err), ERR_ARG, "got axis");
    assert_err(shape_axis(&none, 0, &axis, "sum", &err), ERR_ARG, "single number");
}

static void test_broadcast(void **state)
{
    (void)state;
    static const struct {
        Shape a, b, out;
    } rows[] = {
        { { 2, { 2, 3 } }, { 2, { 2, 3 } }, { 2, { 2, 3 } } }, { { 2, { 2, 3 } }, { 1, { 3 } }, { 2, { 2, 3 } } },
        { { 2, { 2, 1 } }, { 1, { 3 } }, { 2, { 2, 3 } } },    { { 0, { 0 } }, { 2, { 2, 3 } }, { 2, { 2, 3 } } },
        { { 2, { 0, 3 } }, { 2, { 1, 3 } }, { 2, { 0, 3 } } }, { { 3, { 4, 1, 2 } }, { 2, { 5, 1 } }, { 3, { 4, 5, 2 } } },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Shape out;
        assert_ok(shape_broadcast(&rows[i].a, &rows[i].b, &out, "add", &err));
        assert_true(shape_same(&out, &rows[i].out));
        assert_ok(shape_broadcast(&rows[i].b, &rows[i].a, &out, "add", &err));
        assert_true(shape_same(&out, &rows[i].out));
    }
    Shape out;
    assert_err(shape_broadcast(S(2, 3), S(2), &out, "add", &err), ERR_SHAPE, "add: shapes (2, 3) and (2) do not fit together");
    assert_err(shape_broadcast(S(0, 3), S(2, 3), &out, "add", &err), ERR_SHAPE, "do not fit");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_counts), cmocka_unit_test(test_text), cmocka_unit_test(test_check),
                                        cmocka_unit_test(test_axis), cmocka_unit_test(test_broadcast) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
