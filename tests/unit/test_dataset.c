// SPDX-License-Identifier: MIT
/* Datasets: rows, parts, scales, one-hot, and tables of files. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/table.h"
#include "fixture.h"

/* Row i: x = (i, 10 i), class i % classes. */
static Dataset *make(int64_t n, int classes)
{
    Err err = ERR_INIT;
    Tensor x, y;
    assert_ok(tensor_new(&x, DTYPE_FLOAT32, SHAPE(n, 2), &err));
    assert_ok(tensor_new(&y, DTYPE_INT32, SHAPE(n), &err));
    for (int64_t i = 0; i < n; i++) {
        tensor_real(&x)[2 * i] = (real)i;
        tensor_real(&x)[2 * i + 1] = (real)(10 * i);
        tensor_int(&y)[i] = (int32_t)(i % classes);
    }
    Dataset *set = dataset_new("made", &x, &y, &err);
    assert_non_null(set);
    assert_null(x.data); /* taken over */
    return set;
}

static int64_t row_of(const Dataset *set, int64_t i)
{
    return (int64_t)tensor_real(&set->x)[2 * i];
}

static void making(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Dataset *set = make(10, 3);
    assert_int_equal(set->n_classes, 3);
    assert_int_equal(dataset_rows(set), 10);
    static const char *const names[] = { "a", "a name that is longer than there is room for", "abcdefghijklmnopqrstuvwxyz1234\xC3\xA9" };
    assert_ok(dataset_name_classes(set, names, 3, &err));
    assert_string_equal(set->classes[0], "a");
    assert_int_equal(strlen(set->classes[1]), DATASET_NAME - 1);
    assert_string_equal(set->classes[2], "abcdefghijklmnopqrstuvwxyz1234"); /* not half a character */
    assert_err(dataset_name_classes(set, names, 2, &err), ERR_DATA, "2 class names, but y holds class number 2");
    assert_ok(dataset_name_features(set, names, 2, &err));
    assert_ok(dataset_set_text(set, "source", &err));
    Dataset *same = dataset_ref(set);
    dataset_unref(set);
    assert_string_equal(same->text, "source");
    dataset_unref(same);
    dataset_unref(NULL);
}

static void what_is_refused(void **state)
{
    (void)state;
    static const int32_t bad[] = { -1, INT32_MAX, DATASET_CLASSES_MOST };
    Err err = ERR_INIT;
    size_t held = mem_bytes();
    for (int i = 0; i < 3; i++) {
        Tensor x, y;
        assert_ok(tensor_zero(&x, DTYPE_FLOAT32, SHAPE(2, 2), &err));
        assert_ok(tensor_zero(&y, DTYPE_INT32, SHAPE(2), &err));
        tensor_int(&y)[1] = bad[i];
        assert_err(dataset_new("bad", &x, &y, &err) != NULL, ERR_DATA, "row 2");
    }
    Tensor x, y;
    assert_ok(tensor_zero(&x, DTYPE_FLOAT32, SHAPE(3, 2), &err));
    assert_ok(tensor_zero(&y, DTYPE_INT32, SHAPE(2), &err));
    assert_err(dataset_new("bad", &x, &y, &err) != NULL, ERR_SHAPE, "same number of rows");
    assert_ok(tensor_zero(&x, DTYPE_FLOAT32, (Shape){ 0 }, &err));
    assert_err(dataset_new("bad", &x, NULL, &err) != NULL, ERR_SHAPE, "axis of rows");
    assert_int_equal(mem_bytes(), held);
    Dataset *set = make(5, 2);
    static const int64_t rows[] = { 0, 5 }, before[] = { -1 };
    assert_err(dataset_take(set, rows, 2, &err) != NULL, ERR_ARG, "row 6");
    assert_err(dataset_take(set, before, 1, &err) != NULL, ERR_ARG, "row 0");
    assert_err(dataset_slice(set, 3, 3, &err) != NULL, ERR_ARG, "not all among");
    dataset_unref(set);
}

static void rows_and_orders(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Dataset *set = make(20, 4);
    static const int64_t rows[] = { 7, 7, 0, 19 };
    Dataset *some = dataset_take(set, rows, 4, &err);
    assert_non_null(some);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(row_of(some, i), rows[i]);
        assert_int_equal(tensor_int(&some->y)[i], rows[i] % 4);
    }
    dataset_unref(some);
    Dataset *middle = dataset_slice(set, 5, 3, &err);
    assert_ptr_equal(middle->x.data, tensor_real(&set->x) + 10); /* shared */
    assert_int_equal(middle->n_classes, 4);
    Dataset *a = dataset_shuffle(set, 9, &err), *b = dataset_shuffle(set, 9, &err), *c = dataset_shuffle(set, 10, &err);
    dataset_unref(set);
    assert_int_equal(row_of(middle, 0), 5);
    dataset_unref(middle);
    assert_memory_equal(a->x.data, b->x.data, tensor_size(&a->x));
    assert_memory_not_equal(a->x.data, c->x.data, tensor_size(&a->x));
    bool seen[20] = { false };
    for (int i = 0; i < 20; i++) {
        int64_t row = row_of(a, i);
        assert_false(seen[row]);
        seen[row] = true;
        assert_int_equal(tensor_int(&a->y)[i], row % 4);
    }
    dataset_unref(a);
    dataset_unref(b);
    dataset_unref(c);
}

/* floor(n (1 - f)) rows stay, as in Keras's train_validation_split. */
static void splits_as_keras_counts(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        double fraction;
        int64_t first;
    } rows[] = { { 10, 0.2, 8 }, { 10, 0.25, 7 }, { 6, 0.2, 4 }, { 5, 0.1, 4 }, { 3823, 0.2, 3058 }, { 10, 0.3, 7 }, { 150, 0.33, 100 } };
    Err err = ERR_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Dataset *set = make(rows[i].n, 2), *first, *second;
        assert_ok(dataset_split(set, rows[i].fraction, false, false, 0, &first, &second, &err));
        assert_int_equal(dataset_rows(first), rows[i].first);
        assert_int_equal(dataset_rows(second), rows[i].n - rows[i].first);
        assert_int_equal(row_of(second, 0), rows[i].first);
        assert_ptr_equal(first->x.data, set->x.data);
        dataset_unref(first);
        dataset_unref(second);
        dataset_unref(set);
    }
}

static void stratified_splits(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Dataset *set = make(100, 5), *first, *second, *again, *rest;
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        assert_ok(dataset_split(set, 0.3, shuffle, true, 3, &first, &second, &err));
        assert_int_equal(dataset_rows(second), 30);
        int counts[5] = { 0 };
        bool seen[100] = { false };
        for (int i = 0; i < 30; i++) {
            counts[tensor_int(&second->y)[i]]++;
            seen[row_of(second, i)] = true;
            if (!shuffle)
                assert_true(row_of(second, i) >= 70);
        }
        for (int i = 0; i < 70; i++) {
            assert_false(seen[row_of(first, i)]);
            seen[row_of(first, i)] = true;
        }
        for (int c = 0; c < 5; c++)
            assert_int_equal(counts[c], 6);
        assert_ok(dataset_split(set, 0.3, shuffle, true, 3, &again, &rest, &err));
        assert_memory_equal(first->x.data, again->x.data, tensor_size(&first->x));
        dataset_unref(again);
        dataset_unref(rest);
        dataset_unref(first);
        dataset_unref(second);
    }
    assert_err(dataset_split(set, 0, false, false, 0, &first, &second, &err), ERR_ARG, "between 0 and 1");
    assert_err(dataset_split(set, 1, false, false, 0, &first, &second, &err), ERR_ARG, "between 0 and 1");
    assert_err(dataset_split(set, (double)NAN, false, false, 0, &first, &second, &err), ERR_ARG, "between 0 and 1");
    assert_err(dataset_split(set, 1e-6, true, true, 0, &first, &second, &err), ERR_ARG, "one part empty");
    dataset_unref(set);
    set = make(1, 1);
    assert_err(dataset_split(set, 0.5, false, false, 0, &first, &second, &err), ERR_ARG, "one part empty");
    dataset_unref(set);
    Tensor x;
    assert_ok(tensor_zero(&x, DTYPE_FLOAT32, SHAPE(4, 2), &err));
    set = dataset_new("no classes", &x, NULL, &err);
    assert_err(dataset_split(set, 0.5, false, true, 0, &first, &second, &err), ERR_ARG, "no classes");
    dataset_unref(set);
}

static void one_hot_rows(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    int32_t labels[] = { 2, 0, 1, 2 };
    Tensor y = tensor_borrow(DTYPE_INT32, SHAPE(4), labels), out;
    assert_ok(data_one_hot(&y, 0, &out, &err));
    assert_shape(&out, 4, 3);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++)
            assert_true(tensor_real(&out)[3 * i + k] == (k == labels[i]));
    tensor_unref(&out);
    assert_ok(data_one_hot(&y, 5, &out, &err));
    assert_shape(&out, 4, 5);
    tensor_unref(&out);
    assert_err(data_one_hot(&y, 2, &out, &err), ERR_DATA, "label 2 at place 1");
    labels[1] = -1;
    assert_err(data_one_hot(&y, 0, &out, &err), ERR_DATA, "label -1 at place 2");
    real f = 1;
    Tensor t = tensor_borrow(DTYPE_FLOAT32, SHAPE(1), &f);
    assert_err(data_one_hot(&t, 0, &out, &err), ERR_ARG, "whole class numbers");
}

static void scales_apply_to_other_data(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    real train[] = { 1, 5, 100, 3, 5, 300, 5, 5, 200 }, test[] = { 7, 6, 0 };
    Tensor x = tensor_borrow(DTYPE_FLOAT32, SHAPE(3, 3), train), other = tensor_borrow(DTYPE_FLOAT32, SHAPE(1, 3), test), out;
    DataScale scale;
    assert_ok(data_scale_fit(&x, SCALE_STANDARD, &scale, &err));
    assert_ok(data_scale_apply(&scale, &x, &out, &err));
    for (int column = 0; column < 3; column++) {
        double sum = 0, squares = 0;
        for (int row = 0; row < 3; row++) {
            double v = (double)tensor_real(&out)[3 * row + column];
            sum += v;
            squares += v * v;
        }
        assert_true(fabs(sum) < 1e-5);
        assert_true(fabs(squares / 3 - (column != 1)) < 1e-5); /* a constant column stays 0 */
    }
    tensor_unref(&out);
    assert_ok(data_scale_apply(&scale, &other, &out, &err));
    assert_true(fabs((double)tensor_real(&out)[0] - 4 / sqrt(8.0 / 3)) < 1e-5 && tensor_real(&out)[1] == 1);
    tensor_unref(&out);
    other.shape = SHAPE(3, 1);
    assert_err(data_scale_apply(&scale, &other, &out, &err), ERR_SHAPE, "learnt from 3 columns");
    data_scale_fini(&scale);
    assert_ok(data_scale_fit(&x, SCALE_MINMAX, &scale, &err));
    assert_ok(data_scale_apply(&scale, &x, &out, &err));
    assert_true(tensor_real(&out)[0] == 0 && tensor_real(&out)[3] == (real)0.5 && tensor_real(&out)[6] == 1 && tensor_real(&out)[1] == 0);
    tensor_unref(&out);
    data_scale_fini(&scale);
    x.shape = SHAPE(0, 3);
    assert_err(data_scale_fit(&x, SCALE_MINMAX, &scale, &err), ERR_DATA, "no rows");
}

/* ---- tables ---- */

static Dataset *table(const char *text, const TableOptions *options, Err *err)
{
    CsvTable *t = csv_parse(text, strlen(text), "t.csv", NULL, err);
    assert_non_null(t);
    Dataset *set = table_dataset(t, "t", options, err);
    csv_free(t);
    return set;
}

static void tables_become_datasets(void **state)
{
    (void)state;
    static const char text[] = "width,colour,kind\n1,red,b\n2,blue,a\n3,red,a\n";
    Err err = ERR_INIT;
    Dataset *set = table(text, &(TableOptions){ .target = "kind", .one_hot = true }, &err);
    assert_non_null(set);
    assert_shape(&set->x, 3, 3);
    static const real wanted[] = { 1, 0, 1, 2, 1, 0, 3, 0, 1 };
    assert_memory_equal(set->x.data, wanted, sizeof wanted);
    assert_string_equal(set->features[1], "colour=blue");
    assert_int_equal(set->y.dtype, DTYPE_INT32);
    assert_memory_equal(set->y.data, ((int32_t[]){ 1, 0, 0 }), 12);
    assert_string_equal(set->classes[1], "b");
    dataset_unref(set);
    set = table(text, &(TableOptions){ .target = "1" }, &err); /* by number; text columns as numbers */
    assert_shape(&set->x, 3, 2);
    assert_shape(&set->y, 3, 1);
    assert_int_equal(set->y.dtype, DTYPE_FLOAT32);
    dataset_unref(set);
    set = table(text, &(TableOptions){ .one_hot = true }, &err);
    assert_null(set->y.data);
    assert_shape(&set->x, 3, 5);
    dataset_unref(set);
    assert_err(table(text, &(TableOptions){ .target = "knd" }, &err) != NULL, ERR_NAME, "did you mean \"kind\"");
    assert_err(table(text, &(TableOptions){ .target = "4" }, &err) != NULL, ERR_NAME, "no column \"4\"");
    assert_err(table("only\n1\n2\n", &(TableOptions){ .target = "only" }, &err) != NULL, ERR_DATA, "no column to learn from");
    assert_err(table("a,b\n", &(TableOptions){ .target = "a" }, &err) != NULL, ERR_DATA, "no row");
}

static void missing_values(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,4\n,5\n3,\n5,7\n";
    Err err = ERR_INIT;
    TableOptions options = { .target = "b" };
    assert_err(table(text, &options, &err) != NULL, ERR_DATA, "t.csv:3: column \"a\" has no value");
    options.missing = MISSING_DROP;
    Dataset *set = table(text, &options, &err);
    assert_int_equal(dataset_rows(set), 2);
    assert_non_null(strstr(set->text, "2 of 4 rows were dropped"));
    dataset_unref(set);
    options.missing = MISSING_MEAN;
    set = table(text, &options, &err);
    assert_int_equal(dataset_rows(set), 3);
    assert_true(tensor_real(&set->x)[1] == 3);
    dataset_unref(set);
    options.missing = MISSING_KEEP;
    set = table(text, &options, &err);
    assert_true(isnan(tensor_real(&set->x)[1]));
    dataset_unref(set);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Dataset *set = make(20, 4);
    static const char *const names[] = { "a", "b", "c", "d" };
    assert_ok(dataset_name_classes(set, names, 4, &err));
    assert_ok(dataset_name_features(set, names, 2, &err));
    CsvTable *t = csv_parse("w,c,k\n1,x,a\n2,y,b\n", 18, "t.csv", NULL, &err);
    size_t held = mem_bytes();
    for (int what = 0; what < 2; what++)
        for (long n = 0;; n++) {
            assert_true(n < 200);
            Dataset *a = NULL, *b = NULL;
            mem_fail_after(n);
            bool ok = what ? (a = table_dataset(t, "t", &(TableOptions){ .target = "k", .one_hot = true }, &err)) != NULL
                           : dataset_split(set, 0.3, true, true, 1, &a, &b, &err);
            mem_fail_after(-1);
            dataset_unref(a);
            dataset_unref(b);
            assert_int_equal(mem_bytes(), held);
            if (ok)
                break;
            assert_int_equal(err.code, ERR_MEM);
        }
    csv_free(t);
    dataset_unref(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(rows_and_orders),
        cmocka_unit_test(splits_as_keras_counts),
        cmocka_unit_test(stratified_splits),
        cmocka_unit_test(one_hot_rows),
        cmocka_unit_test(scales_apply_to_other_data),
        cmocka_unit_test(tables_become_datasets),
        cmocka_unit_test(missing_values),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
