// SPDX-License-Identifier: MIT
#include "check.h"

#include "base/mem.h"
#include "tensor/tensor.h"

static Err err;

static Tensor numbers(Shape shape)
{
    Tensor t;
    assert_ok(tensor_new(&t, DTYPE_FLOAT32, shape, &err));
    for (int64_t i = 0; i < tensor_count(&t); i++)
        tensor_set(&t, i, (double)i);
    return t;
}

static void test_types(void **state)
{
    (void)state;
    DType d;
    assert_int_equal(dtype_size(DTYPE_UINT8), 1);
    assert_string_equal(dtype_name(DTYPE_INT32), "int32");
    assert_true(dtype_find("uint8", &d));
    assert_int_equal(d, DTYPE_UINT8);
    assert_false(dtype_find("float64", &d));
}

static void test_life(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    Tensor t = numbers(SHAPE(4, 3)), copy, rows, flat, again = tensor_ref(&t);
    assert_int_equal(atomic_load(&t.storage->refs), 2);
    assert_ok(tensor_rows(&rows, &t, 1, 2, &err));
    assert_near(tensor_get(&rows, 0), 3, 0);
    assert_ok(tensor_reshape(&flat, &rows, SHAPE(-1), &err));
    assert_int_equal(flat.shape.d[0], 6);
    assert_ok(tensor_copy(&copy, &rows, &err));
    tensor_set(&t, 3, 50);
    assert_near(tensor_get(&flat, 0), 50, 0); /* a view sees the write, a copy does not */
    assert_near(tensor_get(&copy, 0), 3, 0);
    tensor_unref(&t);
    tensor_unref(&again);
    tensor_unref(&rows);
    assert_near(tensor_get(&flat, 1), 4, 0); /* the last view keeps the storage */
    tensor_unref(&flat);
    tensor_unref(&copy);
    tensor_unref(&copy);
    assert_int_equal(mem_bytes(), before);
}

static void test_views_refused(void **state)
{
    (void)state;
    Tensor t = numbers(SHAPE(4, 3)), one = numbers(shape_make(0, NULL)), out, empty;
    assert_ok(tensor_zero(&empty, DTYPE_INT32, SHAPE(0, 3), &err));
    assert_err(tensor_rows(&out, &t, 3, 2, &err), ERR_ARG, "2 rows from row 4 on are not all among the 4 rows");
    assert_err(tensor_rows(&out, &t, -1, 2, &err), ERR_ARG, "rows");
    assert_err(tensor_rows(&out, &t, 1, INT64_MAX, &err), ERR_ARG, "rows");
    assert_err(tensor_rows(&out, &one, 0, 1, &err), ERR_ARG, "single number");
    assert_ok(tensor_rows(&out, &t, 4, 0, &err));
    tensor_unref(&out);
    assert_err(tensor_reshape(&out, &t, SHAPE(5, -1), &err), ERR_SHAPE,
               "shape (4, 3) has 12 elements, which do not fill (5, None)");
    assert_err(tensor_reshape(&out, &t, SHAPE(-1, -1), &err), ERR_SHAPE, "only one");
    assert_err(tensor_reshape(&out, &t, SHAPE(-2), &err), ERR_SHAPE, "0 or more");
    assert_err(tensor_reshape(&out, &t, SHAPE(INT64_MAX, INT64_MAX), &err), ERR_SHAPE, "sizes");
    assert_err(tensor_reshape(&out, &empty, SHAPE(0, -1), &err), ERR_SHAPE, "size of 0");
    assert_err(tensor_new(&out, DTYPE_FLOAT32, SHAPE(-3), &err), ERR_SHAPE, "sizes");
    assert_null(out.storage);
    tensor_unref(&t);
    tensor_unref(&one);
    tensor_unref(&empty);
}

static void test_cast(void **state)
{
    (void)state;
    Tensor t, out;
    assert_ok(tensor_new(&t, DTYPE_FLOAT32, SHAPE(6), &err));
    const double values[] = { -1.7, 1.7, 300, -5, 1e30, INFINITY }, ints[] = { -1, 1, 300, -5, INT32_MAX, INT32_MAX },
                 bytes[] = { 0, 1, 255, 0, 255, 255 };
    for (int i = 0; i < 6; i++)
        tensor_set(&t, i, values[i]);
    assert_ok(tensor_cast(&out, &t, DTYPE_INT32, &err));
    for (int i = 0; i < 6; i++)
        assert_near(tensor_get(&out, i), ints[i], 0);
    tensor_unref(&out);
    assert_ok(tensor_cast(&out, &t, DTYPE_UINT8, &err));
    for (int i = 0; i < 6; i++)
        assert_near(tensor_get(&out, i), bytes[i], 0);
    tensor_unref(&out);
    tensor_set(&t, 2, NAN);
    assert_err(tensor_cast(&out, &t, DTYPE_INT32, &err), ERR_DATA, "element 3 (counted from 1) is NaN, which int32 cannot hold");
    tensor_unref(&t);
}

static int released;

static void count_release(void *owner)
{
    released += *(int *)owner;
}

static void test_wrap_and_freeze(void **state)
{
    (void)state;
    int one = 1;
    int32_t data[4] = { 1, 2, 3, 4 };
    Tensor t, view;
    assert_ok(tensor_wrap(&t, DTYPE_INT32, SHAPE(4), data, count_release, &one, &err));
    assert_ok(tensor_rows(&view, &t, 2, 2, &err));
    assert_false(tensor_frozen(&view));
    tensor_freeze(&t);
    assert_true(tensor_frozen(&view)); /* through the storage, views are frozen too */
    tensor_thaw(&t);
    assert_false(tensor_frozen(&view));
    tensor_unref(&t);
    assert_int_equal(released, 0);
    tensor_unref(&view);
    assert_int_equal(released, 1);
}

static void test_no_memory(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    Tensor t = numbers(SHAPE(3)), out;
    for (long n = 0; n < 2; n++) {
        mem_fail_after(n);
        assert_err(tensor_new(&out, DTYPE_FLOAT32, SHAPE(5), &err), ERR_MEM, "memory");
        mem_fail_after(n);
        assert_err(tensor_copy(&out, &t, &err), ERR_MEM, "memory");
        mem_fail_after(n);
        assert_err(tensor_cast(&out, &t, DTYPE_INT32, &err), ERR_MEM, "memory");
    }
    mem_fail_after(-1);
    tensor_unref(&t);
    assert_int_equal(mem_bytes(), before);
}

/* ---- as text ---- */

static const char *text_of(const Tensor *t, int rows, int width)
{
    static char text[4096];
    Buf buf = BUF_INIT;
    tensor_write(&buf, t, rows, width);
    snprintf(text, sizeof text, "%s", buf_text(&buf));
    buf_fini(&buf);
    return text;
}

static const char *values_text(Shape shape, const double *values, int rows, int width)
{
    Tensor t = numbers(shape);
    for (int64_t i = 0; i < tensor_count(&t); i++)
        tensor_set(&t, i, values[i]);
    const char *text = text_of(&t, rows, width);
    tensor_unref(&t);
    return text;
}

static void test_print(void **state)
{
    (void)state;
    assert_string_equal(values_text(SHAPE(2, 2), (double[]){ 1, 2, 3, 4 }, 10, 80), "tensor float32 (2, 2)\n[[1  2]\n [3  4]]");
    assert_string_equal(values_text(SHAPE(3), (double[]){ -1.5, 2.25, 10 }, 10, 80), "tensor float32 (3)\n[-1.50   2.25  10.00]");
    assert_string_equal(values_text(SHAPE(2), (double[]){ 1.0 / 3, 20 }, 10, 80), "tensor float32 (2)\n[ 0.3333  20.0000]");
    assert_string_equal(values_text(SHAPE(2), (double[]){ 0.012345678, -0.5e-3 }, 10, 80),
                        "tensor float32 (2)\n[ 0.01235  -0.00050]");
    assert_string_equal(values_text(SHAPE(2), (double[]){ 0.125, 1e-7 }, 10, 80), "tensor float32 (2)\n[1.2500e-01  1.0000e-07]");
    assert_string_equal(values_text(SHAPE(3), (double[]){ NAN, 1, -INFINITY }, 10, 80),
                        "tensor float32 (3), 1 NaN, 1 infinite\n[ nan     1  -inf]");
    assert_string_equal(values_text(shape_make(0, NULL), (double[]){ 0.1 }, 10, 80), "tensor float32 ()\n0.1");
    assert_string_equal(values_text(SHAPE(2), (double[]){ 123456792, 1 }, 10, 80), "tensor float32 (2)\n[123456792          1]");
    assert_string_equal(values_text(SHAPE(2, 2, 2), (double[]){ 1, 2, 3, 4, 5, 6, 7, 8 }, 10, 80),
                        "tensor float32 (2, 2, 2)\n[[[1  2]\n  [3  4]]\n\n [[5  6]\n  [7  8]]]");
}

static void test_print_long(void **state)
{
    (void)state;
    Tensor t = numbers(SHAPE(100, 100)), empty;
    const char *text = text_of(&t, 6, 40);
    assert_string_equal(text, "tensor float32 (100, 100)\n"
                              "[[   0     1  ...    98    99]\n [ 100   101  ...   198   199]\n"
                              " ...\n [9800  9801  ...  9898  9899]\n"
                              " [9900  9901  ...  9998  9999]]");
    tensor_unref(&t);
    assert_ok(tensor_zero(&empty, DTYPE_INT32, SHAPE(0, 3), &err));
    assert_string_equal(text_of(&empty, 6, 40), "tensor int32 (0, 3)\n[]");
    tensor_unref(&empty);
    Tensor vector = numbers(SHAPE(25)), images = numbers(SHAPE(50, 9, 2, 2)), grey = numbers(SHAPE(7, 2, 3, 1));
    assert_string_equal(text_of(&vector, 20, 45), "tensor float32 (25)\n[ 0   1   2   3   4   5   6   7   8   9\n" /* all of it, in lines of ten */
                                                  " 10  11  12  13  14  15  16  17  18  19\n 20  21  22  23  24]");
    assert_string_equal(text_of(&vector, 3, 40), "tensor float32 (25)\n[ 0   1   2   3  ...  21  22  23  24]");
    assert_string_equal(text_of(&images, 9, 40), "tensor float32 (50, 9, 2, 2)\n[[[[0  1]\n   [2  3]]\n\n  ...]\n\n ...]");
    assert_string_equal(text_of(&grey, 6, 40), "tensor float32 (7, 2, 3, 1)\n[[[[0]  [1]  [2]]\n  [[3]  [4]  [5]]]\n\n ...]");
    tensor_unref(&vector);
    tensor_unref(&images);
    tensor_unref(&grey);
    Tensor none = { 0 };
    none.shape = SHAPE(3);
    assert_string_equal(text_of(&none, 6, 40), "no tensor");
}

/* Whatever the shape, no more lines than asked for, and lines within the width where one number fits. */
static void test_print_bounds(void **state)
{
    (void)state;
    static const Shape shapes[] = {
        { 1, { 1000 } }, { 2, { 40, 40 } }, { 3, { 5, 6, 7 } }, { 4, { 2, 3, 4, 5 } }, { 6, { 2, 2, 2, 2, 2, 9 } }
    };
    for (size_t s = 0; s < COUNT_OF(shapes); s++)
        for (int rows = 2; rows < 30; rows += 3) {
            Tensor t = numbers(shapes[s]);
            const char *text = text_of(&t, rows, 50);
            int lines = 1, column = 0;
            for (; *text; text++) {
                column = *text == '\n' ? 0 : column + 1;
                lines += *text == '\n';
                assert_true(column <= 56);
            }
            assert_true(lines <= rows);
            tensor_unref(&t);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),           cmocka_unit_test(test_life),
        cmocka_unit_test(test_views_refused),   cmocka_unit_test(test_cast),
        cmocka_unit_test(test_wrap_and_freeze), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_print),           cmocka_unit_test(test_print_long),
        cmocka_unit_test(test_print_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
