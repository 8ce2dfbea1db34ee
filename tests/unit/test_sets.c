// SPDX-License-Identifier: MIT
/* The built-in sets. MNIST and CIFAR-10 do not ship: the real files are read where they stand in ../shared/data (or in
 * $HEBB_SHARED_DATA); hand-made ones of the same form are read always. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/dataset.h"
#include "fixture.h"
#include "formats/cifar.h"
#include "formats/csv.h"
#include "scratch.h"

static int begin(void **state)
{
    (void)state;
    scratch_begin();
    return 0;
}

static int end(void **state)
{
    (void)state;
    mem_fail_after(-1);
    scratch_end();
    return 0;
}

static void parts_end(DataParts *parts)
{
    dataset_unref(parts->train);
    dataset_unref(parts->test);
    *parts = (DataParts){ 0 };
}

static bool make_with(const char *name, const char *path, const char *arg, double value, uint64_t seed, DataParts *out, Err *err)
{
    const DataSet *set = dataset_find(name, err);
    Args args;
    if (!set)
        return false;
    args_init(&args, set->args, set->n_args);
    return (!arg || args_set_number(&args, args_find(&args, arg), value, name, err)) && set->make(&args, path, seed, out, err);
}

static bool make(const char *name, const char *path, DataParts *out, Err *err)
{
    return make_with(name, path, NULL, 0, 1, out, err);
}

static void check_counts(const Dataset *set, const int64_t *wanted, int n)
{
    int64_t counts[16] = { 0 };
    for (int64_t i = 0; i < dataset_rows(set); i++)
        counts[tensor_int(&set->y)[i]]++;
    for (int c = 0; c < n; c++)
        assert_int_equal(counts[c], wanted[c]);
}

static void the_table_is_whole(void **state)
{
    (void)state;
    static const char *const names[] = { "blobs", "cifar10", "circles", "csv", "digits", "iris", "mnist", "moons", "spiral", "xor" };
    Err err = ERR_INIT;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_non_null(dataset_find(names[i], &err));
    assert_err(dataset_find("moon", &err) != NULL, ERR_NAME, "did you mean \"moons\"");
    for (int i = 0; dataset_at(i); i++) {
        const DataSet *set = dataset_at(i);
        assert_ptr_equal(dataset_find(set->name, &err), set);
        assert_true(strlen(set->doc) > 40 && strncmp(set->doc, "data.", 5) == 0);
        assert_non_null(strstr(set->doc, set->name));
        assert_true(set->example || set->path);
        Args args;
        args_init(&args, set->args, set->n_args);
        assert_ok(args_complete(&args, set->name, &err));
        for (int k = 0; k < set->n_args; k++)
            assert_true(set->args[k].help && *set->args[k].help);
    }
    assert_null(dataset_at(-1));
}

static void digits(void **state)
{
    (void)state;
    static const int64_t train[] = { 376, 389, 380, 389, 387, 376, 377, 387, 380, 382 },
                         test[] = { 178, 182, 177, 183, 181, 182, 181, 179, 174, 180 };
    Err err = ERR_INIT;
    DataParts parts;
    assert_ok(make("digits", NULL, &parts, &err));
    assert_shape(&parts.train->x, 3823, 8, 8, 1);
    assert_shape(&parts.test->x, 1797, 8, 8, 1);
    check_counts(parts.train, train, 10);
    check_counts(parts.test, test, 10);
    assert_int_equal(parts.train->x.dtype, DTYPE_UINT8);
    int most = 0;
    for (int64_t i = 0; i < tensor_count(&parts.train->x); i++)
        most = tensor_byte(&parts.train->x)[i] > most ? tensor_byte(&parts.train->x)[i] : most;
    assert_int_equal(most, 16);
    assert_non_null(strstr(parts.train->text, "CC BY 4.0"));
    assert_string_equal(parts.test->classes[9], "9");
    /* Against the tables they were made from, where these are at hand. */
    static const char *const files[] = { "tables/optdigits_train.csv", "tables/optdigits_test.csv" };
    for (int p = 0; p < 2; p++) {
        const Dataset *set = p ? parts.test : parts.train;
        const char *path = fixture_shared(files[p]);
        CsvTable *table = path ? csv_load(path, NULL, &err) : NULL;
        if (!table)
            continue;
        assert_int_equal(table->n_rows, dataset_rows(set));
        for (int64_t i = 0; i < table->n_rows; i++) {
            for (int k = 0; k < 64; k++)
                assert_true(table->cells[65 * i + k] == tensor_byte(&set->x)[64 * i + k]);
            assert_true(table->cells[65 * i + 64] == tensor_int(&set->y)[i]);
        }
        csv_free(table);
    }
    parts_end(&parts);
}

static void iris(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    DataParts parts;
    assert_ok(make("iris", NULL, &parts, &err));
    assert_shape(&parts.train->x, 150, 4);
    check_counts(parts.train, (const int64_t[]){ 50, 50, 50 }, 3);
    assert_true(fabs((double)tensor_real(&parts.train->x)[0] - 5.1) < 1e-6);
    assert_string_equal(parts.train->classes[0], "setosa");
    assert_int_equal(parts.train->n_features, 4);
    assert_null(parts.test);
    parts_end(&parts);
}

/* Same seed, same points; another seed, others; the argument wins over the session's seed. */
static void generated_sets(void **state)
{
    (void)state;
    static const char *const names[] = { "xor", "spiral", "moons", "circles", "blobs" };
    Err err = ERR_INIT;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        DataParts a, b, c, d;
        assert_ok(make_with(names[i], NULL, "n", 90, 5, &a, &err));
        assert_int_equal(dataset_rows(a.train), 90);
        assert_int_equal(a.train->x.shape.d[1], 2);
        assert_true(a.train->n_classes >= 2);
        int64_t counts[16] = { 0 };
        for (int k = 0; k < 90; k++)
            counts[tensor_int(&a.train->y)[k]]++;
        for (int k = 0; k < a.train->n_classes; k++)
            assert_true(counts[k] > 0);
        assert_ok(make_with(names[i], NULL, "seed", 3, 5, &b, &err));
        assert_ok(make_with(names[i], NULL, "seed", 3, 6, &c, &err));
        assert_ok(make_with(names[i], NULL, "n", 90, 6, &d, &err));
        assert_memory_equal(b.train->x.data, c.train->x.data, tensor_size(&b.train->x));
        assert_memory_equal(b.train->y.data, c.train->y.data, tensor_size(&b.train->y));
        assert_memory_not_equal(a.train->x.data, d.train->x.data, tensor_size(&a.train->x));
        parts_end(&a);
        parts_end(&b);
        parts_end(&c);
        parts_end(&d);
        assert_ok(make_with(names[i], NULL, "n", 1, 5, &a, &err));
        assert_int_equal(dataset_rows(a.train), 1);
        assert_true(isfinite(tensor_real(&a.train->x)[0]));
        parts_end(&a);
        assert_err(make_with(names[i], NULL, "n", 0, 5, &a, &err), ERR_ARG, "n");
        assert_err(make_with(names[i], NULL, "noise", -1, 5, &a, &err), ERR_ARG, "noise");
    }
    DataParts circles;
    assert_ok(make_with("circles", NULL, "noise", 0, 1, &circles, &err));
    for (int64_t i = 0; i < dataset_rows(circles.train); i++) {
        const real *p = tensor_real(&circles.train->x) + 2 * i;
        double want = tensor_int(&circles.train->y)[i] ? 0.5 : 1;
        assert_true(fabs(hypot((double)p[0], (double)p[1]) - want) < 1e-6);
    }
    parts_end(&circles);
}

static void idx_file(const char *name, int rank, const int *sizes, const unsigned char *data, size_t n)
{
    unsigned char bytes[4096] = { 0, 0, 8, (unsigned char)rank };
    for (int i = 0; i < rank; i++)
        bytes[4 + 4 * i + 3] = (unsigned char)sizes[i];
    memcpy(bytes + 4 + 4 * rank, data, n);
    scratch_write(scratch_path(name), bytes, 4 + 4 * (size_t)rank + n);
}

static void mnist_of_a_folder(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    DataParts parts;
    unsigned char pixels[18], labels[2] = { 3, 9 }, wrong[2] = { 3, 200 };
    for (int i = 0; i < 18; i++)
        pixels[i] = (unsigned char)(14 * i);
    assert_err(make("mnist", scratch_path(""), &parts, &err), ERR_IO, "train-images-idx3-ubyte");
    idx_file("train-images-idx3-ubyte", 3, (const int[]){ 2, 3, 3 }, pixels, 18);
    assert_err(make("mnist", scratch_path(""), &parts, &err), ERR_IO, "train-labels-idx1-ubyte");
    idx_file("train-labels-idx1-ubyte", 1, (const int[]){ 2 }, labels, 2);
    assert_err(make("mnist", scratch_path(""), &parts, &err), ERR_IO, "t10k-images");
    idx_file("t10k-images-idx3-ubyte", 3, (const int[]){ 2, 3, 3 }, pixels, 18);
    idx_file("t10k-labels-idx1-ubyte", 1, (const int[]){ 2 }, labels, 2);
    assert_ok(make("mnist", scratch_path(""), &parts, &err));
    assert_shape(&parts.train->x, 2, 3, 3, 1);
    assert_memory_equal(parts.train->x.data, pixels, 18);
    assert_int_equal(tensor_int(&parts.test->y)[1], 9);
    parts_end(&parts);
    idx_file("t10k-labels-idx1-ubyte", 1, (const int[]){ 1 }, labels, 1);
    assert_err(make("mnist", scratch_path(""), &parts, &err), ERR_SHAPE, "same number of rows");
    idx_file("t10k-labels-idx1-ubyte", 1, (const int[]){ 2 }, wrong, 2);
    assert_err(make("mnist", scratch_path(""), &parts, &err), ERR_DATA, "class number 200");
    idx_file("t10k-images-idx3-ubyte", 2, (const int[]){ 2, 9 }, pixels, 18);
    assert_err(make("mnist", scratch_path(""), &parts, &err), ERR_DATA, "rank 3");
}

static void cifar_of_a_folder(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    DataParts parts;
    unsigned char *bytes = calloc(3, CIFAR_RECORD);
    bytes[0] = 7;
    bytes[1] = 200; /* red of the first pixel */
    assert_err(make("cifar10", scratch_path(""), &parts, &err), ERR_IO, "data_batch_1.bin");
    scratch_write(scratch_path("data_batch_2.bin"), bytes, 3 * CIFAR_RECORD);
    assert_ok(make("cifar10", scratch_path(""), &parts, &err));
    assert_shape(&parts.train->x, 3, 32, 32, 3);
    assert_int_equal(tensor_byte(&parts.train->x)[0], 200);
    assert_non_null(strstr(parts.train->text, "Only 1 of the 5"));
    assert_null(parts.test);
    parts_end(&parts);
    scratch_write(scratch_path("data_batch_5.bin"), bytes, 2 * CIFAR_RECORD);
    scratch_write(scratch_path("test_batch_first1000.bin"), bytes, CIFAR_RECORD);
    assert_ok(make("cifar10", scratch_path(""), &parts, &err));
    assert_int_equal(dataset_rows(parts.train), 5);
    assert_non_null(strstr(parts.test->text, "not whole"));
    assert_string_equal(parts.test->classes[tensor_int(&parts.test->y)[0]], "horse");
    parts_end(&parts);
    scratch_write(scratch_path("test_batch.bin"), bytes, 100);
    assert_err(make("cifar10", scratch_path(""), &parts, &err), ERR_DATA, "whole number of CIFAR-10 records");
    free(bytes);
}

static void a_table_of_a_file(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    DataParts parts;
    Args args;
    const DataSet *set = dataset_find("csv", &err);
    scratch_write(scratch_path("t.csv"), "a;b;k\n1;2;x\n3;4;y\n", 18);
    args_init(&args, set->args, set->n_args);
    assert_ok(args_set_text(&args, args_find(&args, "target"), "k", "csv", &err));
    assert_ok(set->make(&args, scratch_path("t.csv"), 0, &parts, &err));
    assert_shape(&parts.train->x, 2, 2);
    assert_int_equal(parts.train->n_classes, 2);
    parts_end(&parts);
    assert_ok(args_set_text(&args, args_find(&args, "separator"), ",,", "csv", &err));
    assert_err(set->make(&args, scratch_path("t.csv"), 0, &parts, &err), ERR_ARG, "one character");
    args_init(&args, set->args, set->n_args);
    assert_err(set->make(&args, scratch_path("none.csv"), 0, &parts, &err), ERR_IO, "No such file");
}

static void real_mnist(void **state)
{
    (void)state;
    static const int64_t train[] = { 5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949 },
                         test[] = { 980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009 };
    Err err = ERR_INIT;
    DataParts parts;
    const char *folder = fixture_shared("mnist");
    if (!folder)
        skip_because("MNIST is not in ../shared/data");
    assert_ok(make("mnist", folder, &parts, &err));
    assert_shape(&parts.train->x, 60000, 28, 28, 1);
    assert_shape(&parts.test->x, 10000, 28, 28, 1);
    check_counts(parts.train, train, 10);
    check_counts(parts.test, test, 10);
    double sum = 0;
    for (int64_t i = 0; i < tensor_count(&parts.train->x); i++)
        sum += tensor_byte(&parts.train->x)[i];
    assert_true(fabs(sum / (60000.0 * 784 * 255) - 0.1307) < 5e-5); /* the mean that everybody quotes */
    parts_end(&parts);
}

static void real_cifar(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    DataParts parts;
    const char *folder = fixture_shared("cifar10");
    if (!folder)
        skip_because("CIFAR-10 is not in ../shared/data");
    assert_ok(make("cifar10", folder, &parts, &err));
    assert_shape(&parts.train->x, 50000, 32, 32, 3);
    assert_shape(&parts.test->x, 1000, 32, 32, 3);
    check_counts(parts.train, (const int64_t[]){ 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000 }, 10);
    check_counts(parts.test, (const int64_t[]){ 103, 89, 100, 103, 90, 86, 112, 102, 106, 109 }, 10);
    assert_non_null(strstr(parts.test->text, "not whole"));
    static const double means[] = { 0.4914, 0.4822, 0.4465 };
    double sums[3] = { 0 };
    for (int64_t i = 0; i < tensor_count(&parts.train->x); i++)
        sums[i % 3] += tensor_byte(&parts.train->x)[i];
    for (int c = 0; c < 3; c++)
        assert_true(fabs(sums[c] / (50000.0 * 1024 * 255) - means[c]) < 5e-5);
    parts_end(&parts);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    static const char *const names[] = { "moons", "blobs", "iris", "digits" };
    Err err = ERR_INIT;
    size_t held = mem_bytes();
    for (int i = 0; i < 4; i++)
        for (long n = 0;; n++) {
            assert_true(n < 400);
            DataParts parts = { 0 };
            mem_fail_after(n);
            bool ok = make(names[i], NULL, &parts, &err);
            mem_fail_after(-1);
            if (ok)
                parts_end(&parts);
            assert_int_equal(mem_bytes(), held);
            if (ok)
                break;
            assert_int_equal(err.code, ERR_MEM);
        }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_table_is_whole), TEST(digits),    TEST(iris),       TEST(generated_sets),     TEST(mnist_of_a_folder), TEST(cifar_of_a_folder),
        TEST(a_table_of_a_file),  TEST(real_mnist), TEST(real_cifar), TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
