// SPDX-License-Identifier: MIT
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fixture.h"
#include "formats/npy.h"
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

static const char *in_formats(const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "formats/%s", name);
    return fixture_path(path);
}

/* The rule of the fixtures: element i is i, or i / 2 - 1 for floats. */
static void holds_the_rule(const Tensor *t, bool is_float)
{
    for (int64_t i = 0; i < tensor_count(t); i++) {
        double want = is_float ? (double)i / 2 - 1 : (double)i;
        assert_true(tensor_get(t, i) == want);
    }
}

static void every_type_of_number(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        DType dtype;
    } rows[] = {
        { "f2le", DTYPE_FLOAT32 }, { "f4le", DTYPE_FLOAT32 }, { "f8le", DTYPE_FLOAT32 }, { "f2be", DTYPE_FLOAT32 },
        { "f4be", DTYPE_FLOAT32 }, { "f8be", DTYPE_FLOAT32 }, { "i1", DTYPE_INT32 },     { "i2le", DTYPE_INT32 },
        { "i4le", DTYPE_INT32 },   { "i8le", DTYPE_INT32 },   { "i2be", DTYPE_INT32 },   { "i4be", DTYPE_INT32 },
        { "i8be", DTYPE_INT32 },   { "u1", DTYPE_UINT8 },     { "u2le", DTYPE_INT32 },   { "u4le", DTYPE_INT32 },
        { "u8le", DTYPE_INT32 },   { "u2be", DTYPE_INT32 },   { "u8be", DTYPE_INT32 },
    };
    Err err = ERR_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s_2x3.npy", rows[i].name);
        Tensor t;
        assert_ok(npy_load(in_formats(name), &t, &err));
        assert_int_equal(t.dtype, rows[i].dtype);
        assert_shape(&t, 2, 3);
        holds_the_rule(&t, rows[i].name[0] == 'f');
        tensor_unref(&t);
    }
}

static void special_cases(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor t;
    assert_ok(npy_load(in_formats("bool_4.npy"), &t, &err));
    assert_int_equal(t.dtype, DTYPE_UINT8);
    assert_memory_equal(t.data, "\1\0\1\1", 4);
    tensor_unref(&t);
    assert_ok(npy_load(in_formats("scalar.npy"), &t, &err));
    assert_int_equal(t.shape.rank, 0);
    holds_the_rule(&t, true);
    tensor_unref(&t);
    assert_ok(npy_load(in_formats("empty_0x3.npy"), &t, &err));
    assert_shape(&t, 0, 3);
    tensor_unref(&t);
    assert_ok(npy_load(in_formats("fortran_2x3x4.npy"), &t, &err));
    assert_shape(&t, 2, 3, 4);
    holds_the_rule(&t, true);
    tensor_unref(&t);
    for (int version = 2; version <= 3; version++) {
        char name[40];
        snprintf(name, sizeof name, "version%d.npy", version);
        assert_ok(npy_load(in_formats(name), &t, &err));
        holds_the_rule(&t, true);
        tensor_unref(&t);
    }
    assert_ok(npy_load(in_formats("special_f2.npy"), &t, &err));
    const real *v = tensor_real(&t);
    assert_true(isinf(v[0]) && v[0] > 0 && isinf(v[1]) && v[1] < 0 && isnan(v[2]));
    assert_true(v[3] == (real)65504 && v[4] == (real)0x1p-24 && v[5] == 0 && signbit(v[5]));
    tensor_unref(&t);
}

static void what_is_refused(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor t;
    assert_err(npy_load(in_formats("bad_object.npy"), &t, &err), ERR_DATA, "pickle");
    assert_err(npy_load(in_formats("bad_record.npy"), &t, &err), ERR_DATA, "named fields");
    assert_err(npy_load(in_formats("bad_complex.npy"), &t, &err), ERR_DATA, "\"<c8\"");
    assert_err(npy_load(in_formats("bad_text.npy"), &t, &err), ERR_DATA, "\"<U2\"");
    assert_err(npy_load(in_formats("bad_range.npy"), &t, &err), ERR_DATA, "element 1 is 1099511627776");
    assert_err(npy_load(in_formats("none.npy"), &t, &err), ERR_IO, "No such file");
    assert_err(npy_load(in_formats("make.py"), &t, &err), ERR_DATA, "not an NPY file");
    assert_err(npy_parse("", 0, "e", &t, &err), ERR_DATA, "not an NPY file");
}

static size_t build(char *out, const char *dict, size_t n_data)
{
    size_t n = strlen(dict);
    memcpy(out, "\x93NUMPY\1\0", 8);
    out[8] = (char)(n & 255);
    out[9] = (char)(n >> 8);
    memcpy(out + 10, dict, n);
    memset(out + 10 + n, 0, n_data);
    return 10 + n + n_data;
}

static void headers_that_lie(void **state)
{
    (void)state;
    static const struct {
        const char *dict;
        size_t n_data;
        const char *message; /* NULL: accepted */
    } rows[] = {
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4, NULL },
        { "{\"shape\": (1,), \"fortran_order\": False, \"descr\": \"f4\"}\n", 4, NULL },
        { "{'descr':'<f4','fortran_order':True,'shape':(1L, 1)}", 4, NULL },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4, NULL },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 3, "3 are there" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 5, "5 are there" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", 4, "after a single size" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 4, "whole number" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 0, "more elements" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296)}", 0, "more elements" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999, 1)}", 0, "too large" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 4, "more axes" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", 4, "',' " },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4, "only descr" },
        { "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4, "twice" },
        { "{'descr': '<f4', 'fortran_order': False}", 4, "missing" },
        { "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", 4, "True or False" },
        { "{'descr': __import__('os').system('x'), 'fortran_order': False, 'shape': (1,)}", 4, "quoted text" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} + 1", 4, "behind" },
        { "{'descr': '<f4\\x00', 'fortran_order': False, 'shape': (1,)}", 4, "escapes" },
        { "{'descr': '', 'fortran_order': False, 'shape': (1,)}", 4, "type \"\"" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", 4, "wanted" },
        { "", 4, "wanted" },
    };
    Err err = ERR_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char bytes[300];
        size_t n = build(bytes, rows[i].dict, rows[i].n_data);
        Tensor t;
        if (rows[i].message) {
            assert_err(npy_parse(bytes, n, "made.npy", &t, &err), ERR_DATA, rows[i].message);
            assert_non_null(strstr(err.text, "made.npy"));
        } else {
            assert_ok(npy_parse(bytes, n, "made.npy", &t, &err));
            assert_int_equal(tensor_count(&t), 1);
            tensor_unref(&t);
        }
    }
    /* A header of 65,535 bytes, and one of 4 GiB in version 2. */
    char big[70000] = "\x93NUMPY\1\0\xFF\xFF";
    Tensor t;
    assert_err(npy_parse(big, sizeof big, "m", &t, &err), ERR_DATA, "at most 10000");
    memcpy(big, "\x93NUMPY\2\0\xFF\xFF\xFF\xFF", 12);
    assert_err(npy_parse(big, sizeof big, "m", &t, &err), ERR_DATA, "4294967295");
    memcpy(big, "\x93NUMPY\4\0", 8);
    assert_err(npy_parse(big, sizeof big, "m", &t, &err), ERR_DATA, "version 4.0");
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    size_t n;
    char *bytes = fixture_read("formats/f4le_2x3.npy", &n);
    for (size_t k = 0; k < n; k++) {
        char *cut = malloc(k ? k : 1); /* exactly so large that a step beyond is seen */
        memcpy(cut, bytes, k);
        Tensor t;
        assert_err(npy_parse(cut, k, "cut", &t, &err), ERR_DATA, "cut");
        free(cut);
    }
    free(bytes);
}

static void writes_what_numpy_writes(void **state)
{
    (void)state;
    static const char *const names[] = { "f4le_2x3.npy", "i4le_2x3.npy", "u1_2x3.npy", "scalar.npy", "empty_0x3.npy", "one_3.npy" };
    Err err = ERR_INIT;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Tensor t;
        assert_ok(npy_load(in_formats(names[i]), &t, &err));
        assert_ok(npy_save(scratch_path("again.npy"), &t, &err));
        tensor_unref(&t);
        size_t n, m;
        char *ours = scratch_read(scratch_path("again.npy"), &n), *theirs = scratch_read(in_formats(names[i]), &m);
        assert_int_equal(n, m);
        assert_memory_equal(ours, theirs, n);
        free(ours);
        free(theirs);
    }
}

static void large_arrays_pass_in_pieces(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor t, back;
    assert_ok(tensor_new(&t, DTYPE_FLOAT32, SHAPE(123, 457), &err));
    for (int64_t i = 0; i < tensor_count(&t); i++)
        tensor_real(&t)[i] = (real)((double)i * 0.25);
    assert_ok(npy_save(scratch_path("big.npy"), &t, &err));
    assert_ok(npy_load(scratch_path("big.npy"), &back, &err));
    assert_true(shape_same(&t.shape, &back.shape));
    assert_memory_equal(t.data, back.data, tensor_size(&t));
    tensor_unref(&t);
    tensor_unref(&back);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    size_t held = mem_bytes();
    for (long n = 0;; n++) {
        assert_true(n < 100);
        Tensor t;
        mem_fail_after(n);
        bool ok = npy_load(in_formats("fortran_2x3x4.npy"), &t, &err);
        mem_fail_after(-1);
        if (ok) {
            tensor_unref(&t);
            break;
        }
        assert_int_equal(err.code, ERR_MEM);
        assert_int_equal(mem_bytes(), held);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(every_type_of_number),    TEST(special_cases),           TEST(what_is_refused),
        TEST(headers_that_lie),        TEST(every_prefix_is_refused), TEST(writes_what_numpy_writes),
        TEST(large_arrays_pass_in_pieces), TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
