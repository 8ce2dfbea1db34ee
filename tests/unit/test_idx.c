// SPDX-License-Identifier: MIT
/* IDX, and CIFAR-10's binary version. */
#include "check.h"

#include <stdlib.h>

#include "fixture.h"
#include "formats/cifar.h"
#include "formats/idx.h"
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
    scratch_end();
    return 0;
}

static void plain_and_packed(void **state)
{
    (void)state;
    static const char *const names[] = { "formats/bytes.idx", "formats/bytes.idx.gz", "formats/bytes.idx.xz" };
    Err err = ERR_INIT;
    for (int i = 0; i < 3; i++) {
        Tensor t;
        assert_ok(idx_load(fixture_path(names[i]), &t, &err));
        assert_int_equal(t.dtype, DTYPE_UINT8);
        assert_shape(&t, 2, 3);
        assert_memory_equal(t.data, "\0\1\2\3\4\5", 6);
        tensor_unref(&t);
    }
}

static void every_type(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        DType dtype;
        double first, second;
    } rows[] = {
        { "\0\0\x08\1\0\0\0\2\xFF\1", 10, DTYPE_UINT8, 255, 1 },
        { "\0\0\x09\1\0\0\0\2\xFF\1", 10, DTYPE_INT32, -1, 1 },
        { "\0\0\x0B\1\0\0\0\2\xFF\xFE\1\0", 12, DTYPE_INT32, -2, 256 },
        { "\0\0\x0C\1\0\0\0\2\xFF\xFF\xFF\xFE\0\1\0\0", 16, DTYPE_INT32, -2, 65536 },
        { "\0\0\x0D\1\0\0\0\2\x3F\xC0\0\0\xC0\0\0\0", 16, DTYPE_FLOAT32, 1.5, -2 },
        { "\0\0\x0E\1\0\0\0\2\x3F\xF8\0\0\0\0\0\0\xC0\0\0\0\0\0\0\0", 24, DTYPE_FLOAT32, 1.5, -2 },
    };
    Err err = ERR_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Tensor t;
        assert_ok(idx_parse(rows[i].bytes, rows[i].n, "x", &t, &err));
        assert_int_equal(t.dtype, rows[i].dtype);
        assert_true(tensor_get(&t, 0) == rows[i].first && tensor_get(&t, 1) == rows[i].second);
        tensor_unref(&t);
    }
}

static void headers_that_lie(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *message;
    } rows[] = {
        { "", 0, "not an IDX" },
        { "\0\0\x08", 3, "not an IDX" },
        { "\1\0\x08\1\0\0\0\0", 8, "not an IDX" },
        { "\0\0\x0A\1\0\0\0\0", 8, "no type" },
        { "\0\0\x08\0", 4, "rank 0" },
        { "\0\0\x08\x09", 4, "rank 9" },
        { "\0\0\x08\2\0\0\0\1", 8, "cut off in its header" },
        { "\0\0\x08\1\0\0\0\1", 8, "0 are there" },
        { "\0\0\x08\1\0\0\0\1\1\1", 10, "2 are there" },
        { "\0\0\x0E\1\xFF\xFF\xFF\xFF", 8, "0 are there" },
        { "\0\0\x08\2\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12, "more elements" },
        { "\0\0\x0E\4\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0", 20, "more elements" }, /* product 2^64 */
        { "\0\0\x08\3\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 16, "more elements" },
    };
    Err err = ERR_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Tensor t;
        assert_err(idx_parse(rows[i].bytes, rows[i].n, "lie.idx", &t, &err), ERR_DATA, rows[i].message);
        assert_non_null(strstr(err.text, "lie.idx"));
    }
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    size_t n;
    char *bytes = fixture_read("formats/bytes.idx", &n);
    for (size_t k = 0; k < n; k++) {
        char *cut = malloc(k ? k : 1);
        memcpy(cut, bytes, k);
        Tensor t;
        assert_err(idx_parse(cut, k, "cut", &t, &err), ERR_DATA, "cut");
        free(cut);
    }
    free(bytes);
}

static void writes_and_reads_back(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    for (int d = 0; d < DTYPE_COUNT; d++) {
        Tensor t, back;
        assert_ok(tensor_new(&t, (DType)d, SHAPE(41, 7, 31), &err));
        for (int64_t i = 0; i < tensor_count(&t); i++)
            tensor_set(&t, i, (double)(i % 200));
        assert_ok(idx_save(scratch_path("x.idx"), &t, &err));
        assert_ok(idx_load(scratch_path("x.idx"), &back, &err));
        assert_int_equal(back.dtype, d);
        assert_shape(&back, 41, 7, 31);
        assert_memory_equal(back.data, t.data, tensor_size(&t));
        tensor_unref(&t);
        tensor_unref(&back);
    }
    Tensor scalar;
    assert_ok(tensor_zero(&scalar, DTYPE_UINT8, (Shape){ 0 }, &err));
    assert_err(idx_save(scratch_path("s.idx"), &scalar, &err), ERR_SHAPE, "at least one axis");
    tensor_unref(&scalar);
}

static void cifar_records(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    unsigned char *bytes = malloc(2 * CIFAR_RECORD);
    for (int i = 0; i < 2 * CIFAR_RECORD; i++)
        bytes[i] = (unsigned char)(i * 7919 >> 3);
    bytes[0] = 9;
    bytes[CIFAR_RECORD] = 3;
    Tensor x, y;
    assert_ok(cifar_parse(bytes, 2 * CIFAR_RECORD, "c", &x, &y, &err));
    assert_shape(&x, 2, 32, 32, 3);
    assert_int_equal(tensor_int(&y)[0], 9);
    assert_int_equal(tensor_int(&y)[1], 3);
    for (int image = 0; image < 2; image++)
        for (int row = 0; row < 32; row += 5)
            for (int column = 0; column < 32; column += 3)
                for (int channel = 0; channel < 3; channel++)
                    assert_int_equal(tensor_byte(&x)[((image * 32 + row) * 32 + column) * 3 + channel],
                                     bytes[image * CIFAR_RECORD + 1 + channel * 1024 + row * 32 + column]);
    tensor_unref(&x);
    tensor_unref(&y);
    assert_err(cifar_parse(bytes, 2 * CIFAR_RECORD - 1, "c", &x, &y, &err), ERR_DATA, "whole number");
    assert_err(cifar_parse(bytes, 0, "c", &x, &y, &err), ERR_DATA, "whole number");
    bytes[CIFAR_RECORD] = 10;
    assert_err(cifar_parse(bytes, 2 * CIFAR_RECORD, "c", &x, &y, &err), ERR_DATA, "record 1 (byte 3073) has label 10");
    free(bytes);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(plain_and_packed),        TEST(every_type),           TEST(headers_that_lie),
        TEST(every_prefix_is_refused), TEST(writes_and_reads_back), TEST(cifar_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
