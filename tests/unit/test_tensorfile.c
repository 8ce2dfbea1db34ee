// SPDX-License-Identifier: MIT
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fixture.h"
#include "formats/tensorfile.h"
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

static Tensor make(DType dtype, Shape shape)
{
    Err err = ERR_INIT;
    Tensor t;
    assert_ok(tensor_new(&t, dtype, shape, &err));
    for (int64_t i = 0; i < tensor_count(&t); i++)
        tensor_set(&t, i, dtype == DTYPE_FLOAT32 ? (double)i / 8 - 1 : (double)i);
    return t;
}

static void every_ending_comes_back(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool any_type; /* else everything comes back as float32 */
    } rows[] = { { "t.npy", true }, { "t.NPZ", true }, { "t.csv", false }, { "t.safetensors", true }, { "t.idx", true }, { "t-idx2-ubyte", true } };
    Err err = ERR_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int d = 0; d < DTYPE_COUNT; d++) {
            NamedTensor item = { "w", make((DType)d, SHAPE(5, 3)) };
            Tensor back;
            assert_ok(tensorfile_save(scratch_path(rows[i].name), &item, 1, &err));
            assert_ok(tensorfile_load_one(scratch_path(rows[i].name), NULL, &back, &err));
            assert_shape(&back, 5, 3);
            if (rows[i].any_type)
                assert_int_equal(back.dtype, d);
            for (int64_t k = 0; k < 15; k++)
                assert_true(tensor_get(&back, k) == tensor_get(&item.tensor, k));
            tensor_unref(&back);
            tensor_unref(&item.tensor);
        }
    NamedTensor row = { "", make(DTYPE_FLOAT32, SHAPE(7)) };
    Tensor back;
    assert_ok(tensorfile_save(scratch_path("one.csv"), &row, 1, &err));
    assert_ok(tensorfile_load_one(scratch_path("one.csv"), NULL, &back, &err));
    assert_shape(&back, 7);
    tensor_unref(&back);
    tensor_unref(&row.tensor);
    assert_ok(tensorfile_load_one(fixture_path("formats/bytes.idx.gz"), NULL, &back, &err));
    assert_shape(&back, 2, 3);
    tensor_unref(&back);
}

static void names_choose(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    NamedTensor items[] = { { "a", make(DTYPE_INT32, SHAPE(2)) }, { "b", make(DTYPE_FLOAT32, SHAPE(3)) } };
    static const char *const names[] = { "x.npz", "x.safetensors" };
    for (int i = 0; i < 2; i++) {
        const char *path = scratch_path(names[i]);
        Tensor t;
        NamedList list = { 0 };
        assert_ok(tensorfile_save(path, items, 2, &err));
        assert_ok(tensorfile_load(path, &list, &err));
        assert_int_equal(list.n, 2);
        named_fini(&list);
        assert_ok(tensorfile_load_one(path, "b", &t, &err));
        assert_shape(&t, 3);
        tensor_unref(&t);
        assert_err(tensorfile_load_one(path, NULL, &t, &err), ERR_NAME, "holds 2 tensors; name one of ");
        assert_non_null(strstr(err.text, "\"a\""));
        assert_err(tensorfile_load_one(path, "c", &t, &err), ERR_NAME, "no tensor \"c\"");
    }
    assert_err(tensorfile_save(scratch_path("x.npy"), items, 2, &err), ERR_ARG, "exactly one tensor");
    tensor_unref(&items[0].tensor);
    tensor_unref(&items[1].tensor);
}

static void foreign_files_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *name, *part;
    } rows[] = { { "m.pt", "pickle" }, { "M.PTH", "pickle" }, { "m.pkl", "pickle" }, { "m.h5", "HDF5" }, { "m.keras", "Keras 3" },
                 { "m.onnx", "ONNX" }, { "m.xlsx", "export" }, { "m.gguf", "GGUF" }, { "m.dat", "the ending tells" }, { "m", "the ending tells" },
                 { "m.npz.gz", "the ending tells" } };
    Err err = ERR_INIT;
    Tensor t;
    NamedTensor item = { "w", make(DTYPE_FLOAT32, SHAPE(1)) };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_err(tensorfile_load_one(scratch_path(rows[i].name), NULL, &t, &err), ERR_ARG, rows[i].part);
        assert_err(tensorfile_save(scratch_path(rows[i].name), &item, 1, &err), ERR_ARG, rows[i].part);
    }
    tensor_unref(&item.tensor);
    scratch_write(scratch_path("model"), "\x80\x02}q\0X\1\0\0\0", 9);
    assert_non_null(strstr(tensorfile_foreign(scratch_path("model")), "pickle"));
    scratch_write(scratch_path("model"), "\x89HDF\r\n\x1A\n....", 12);
    assert_non_null(strstr(tensorfile_foreign(scratch_path("model")), "HDF5"));
    scratch_write(scratch_path("model"), "\x80\2\0\0\0\0\0\0{", 9); /* a safetensors header of 640 bytes */
    assert_null(tensorfile_foreign(scratch_path("model")));
    assert_null(tensorfile_foreign(scratch_path("none")));
    assert_null(tensorfile_foreign(fixture_path("formats/written.safetensors")));
    assert_err(tensorfile_load_one(scratch_path("none.npy"), NULL, &t, &err), ERR_IO, "No such file");
    scratch_write(scratch_path("text.csv"), "a,b\n1,x\n", 8);
    assert_err(tensorfile_load_one(scratch_path("text.csv"), NULL, &t, &err), ERR_DATA, "column 2 (\"b\") holds text");
}

static void memory_may_run_out(void **state)
{
    (void)state;
    static const char *const names[] = { "formats/stored.npz", "formats/types.safetensors", "formats/bytes.idx.xz" };
    Err err = ERR_INIT;
    for (int i = 0; i < 3; i++) {
        size_t held = mem_bytes();
        for (long n = 0;; n++) {
            assert_true(n < 300);
            NamedList list = { 0 };
            mem_fail_after(n);
            bool ok = tensorfile_load(fixture_path(names[i]), &list, &err);
            mem_fail_after(-1);
            named_fini(&list);
            assert_int_equal(mem_bytes(), held);
            if (ok)
                break;
            assert_int_equal(err.code, ERR_MEM);
        }
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(every_ending_comes_back), TEST(names_choose), TEST(foreign_files_are_explained), TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
