// SPDX-License-Identifier: MIT
#include "check.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "fixture.h"
#include "formats/npz.h"
#include "formats/packed.h"
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
    packed_set_most(0);
    mem_fail_after(-1);
    file_fail_after(-1);
    scratch_end();
    return 0;
}

static void reads_numpys_archives(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    NamedList list = { 0 };
    assert_ok(npz_load(fixture_path("formats/stored.npz"), &list, &err));
    assert_int_equal(list.n, 2);
    assert_string_equal(list.items[0].name, "a");
    assert_shape(&list.items[0].tensor, 2, 3);
    assert_true(tensor_get(named_find(&list, "a"), 5) == 1.5);
    assert_int_equal(named_find(&list, "b")->dtype, DTYPE_INT32);
    assert_null(named_find(&list, "c"));
    named_fini(&list);

    assert_ok(npz_load(fixture_path("formats/deflated.npz"), &list, &err));
    assert_int_equal(list.n, 3);
    assert_shape(named_find(&list, "zeros"), 40, 50);
    assert_true(tensor_get(named_find(&list, "zeros"), 1999) == 0);
    assert_memory_equal(named_find(&list, "c")->data, "\0\1\2\3\4", 5);
    named_fini(&list);
}

static void make_list(NamedList *list)
{
    Err err = ERR_INIT;
    Tensor a, b, c;
    assert_ok(tensor_new(&a, DTYPE_FLOAT32, SHAPE(100, 301), &err));
    for (int64_t i = 0; i < tensor_count(&a); i++)
        tensor_set(&a, i, (double)i / 4);
    assert_ok(tensor_zero(&b, DTYPE_UINT8, SHAPE(0), &err));
    assert_ok(tensor_zero(&c, DTYPE_INT32, (Shape){ 0 }, &err));
    tensor_int(&c)[0] = -7;
    assert_ok(named_add(list, "dense/kernel", 12, &a, &err));
    assert_ok(named_add(list, "none", 4, &b, &err));
    assert_ok(named_add(list, "\xC3\xA9t\xC3\xA9", 5, &c, &err));
}

static void writes_and_reads_back(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    NamedList list = { 0 }, back = { 0 };
    make_list(&list);
    assert_ok(npz_save(scratch_path("x.npz"), list.items, list.n, &err));
    assert_ok(npz_load(scratch_path("x.npz"), &back, &err));
    assert_int_equal(back.n, list.n);
    for (int i = 0; i < list.n; i++) {
        assert_string_equal(list.items[i].name, back.items[i].name);
        assert_true(shape_same(&list.items[i].tensor.shape, &back.items[i].tensor.shape));
        assert_memory_equal(list.items[i].tensor.data, back.items[i].tensor.data, tensor_size(&list.items[i].tensor));
    }
    assert_ok(npz_save(scratch_path("y.npz"), list.items, list.n, &err));
    size_t n, m;
    char *x = scratch_read(scratch_path("x.npz"), &n), *y = scratch_read(scratch_path("y.npz"), &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
    NamedTensor twice[] = { list.items[0], list.items[0] };
    assert_err(npz_save(scratch_path("z.npz"), twice, 2, &err), ERR_DATA, "stands there twice");
    assert_false(file_exists(scratch_path("z.npz")));
    named_fini(&list);
    named_fini(&back);
    assert_ok(npz_save(scratch_path("empty.npz"), NULL, 0, &err));
    assert_ok(npz_load(scratch_path("empty.npz"), &back, &err));
    assert_int_equal(back.n, 0);
    named_fini(&back);
}

/* Cut anywhere: refused. Any bit flipped: refused, or the arrays are what they were (a date, a comment's neighbour). */
static void damage_is_seen(void **state)
{
    (void)state;
    static const char *const names[] = { "formats/stored.npz", "formats/deflated.npz" };
    Err err = ERR_INIT;
    for (int f = 0; f < 2; f++) {
        size_t n;
        char *bytes = fixture_read(names[f], &n);
        for (size_t k = 0; k < n; k++) {
            char *cut = malloc(k ? k : 1);
            memcpy(cut, bytes, k);
            NamedList list = { 0 };
            assert_err(npz_parse(cut, k, "cut", &list, &err), ERR_DATA, "cut");
            named_fini(&list);
            free(cut);
        }
        for (size_t bit = 0; bit < 8 * n; bit++) {
            NamedList list = { 0 };
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
            if (npz_parse(bytes, n, "flip", &list, &err)) {
                assert_int_equal(list.n, f == 0 ? 2 : 3);
                assert_true(tensor_get(&list.items[0].tensor, 5) == 1.5);
            } else {
                assert_int_equal(err.code, ERR_DATA);
            }
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
            named_fini(&list);
        }
        free(bytes);
    }
}

/* Change the bytes found n_skip times later; both headers of a member hold the same text. */
static void patch(char *bytes, size_t n, const char *old, const char *new, size_t size, int which)
{
    for (size_t i = 0; i + size <= n; i++)
        if (memcmp(bytes + i, old, size) == 0 && which-- == 0) {
            memcpy(bytes + i, new, size);
            return;
        }
    fail_msg("%s is not in the fixture", old);
}

static void attacks(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    NamedList list = { 0 };
    size_t n;
    char *bytes = fixture_read("formats/stored.npz", &n);
    patch(bytes, n, "b.npy", "a.npy", 5, 0);
    patch(bytes, n, "b.npy", "a.npy", 5, 0);
    assert_err(npz_parse(bytes, n, "twice", &list, &err), ERR_DATA, "\"a\" stands there twice");
    named_fini(&list);
    patch(bytes, n, "a.npy", "x.npy", 5, 0); /* the member's own header only */
    assert_err(npz_parse(bytes, n, "two", &list, &err), ERR_DATA, "disagree");
    named_fini(&list);
    free(bytes);

    bytes = fixture_read("formats/stored.npz", &n);
    patch(bytes, n, "a.npy", "a.exe", 5, 0);
    patch(bytes, n, "a.npy", "a.exe", 5, 0);
    assert_err(npz_parse(bytes, n, "program", &list, &err), ERR_DATA, "not an array");
    named_fini(&list);
    free(bytes);

    /* Both entries of the directory lead to the first member. */
    bytes = fixture_read("formats/stored.npz", &n);
    size_t central = n - 22 - 2 * (46 + 5);
    memcpy(bytes + central + 51, bytes + central, 51);
    assert_err(npz_parse(bytes, n, "shared", &list, &err), ERR_DATA, "");
    named_fini(&list);
    /* More entries than the directory can hold. */
    memcpy(bytes + n - 22 + 8, "\xFE\xFF\xFE\xFF", 4);
    assert_err(npz_parse(bytes, n, "count", &list, &err), ERR_DATA, "inside the file");
    named_fini(&list);
    free(bytes);

    bytes = fixture_read("formats/deflated.npz", &n);
    packed_set_most(1000);
    assert_err(npz_parse(bytes, n, "large", &list, &err), ERR_DATA, "limit");
    named_fini(&list);
    packed_set_most(0);
    /* The deflated member of zeros claims 3 GiB. */
    for (size_t i = 0; i + 50 < n; i++)
        if (memcmp(bytes + i, "PK\1\2", 4) == 0 && memcmp(bytes + i + 46, "zeros", 5) == 0)
            memcpy(bytes + i + 24, "\0\0\0\xC0", 4);
    size_t peak = mem_peak();
    assert_err(npz_parse(bytes, n, "bomb", &list, &err), ERR_DATA, "DEFLATE cannot do");
    assert_true(mem_peak() < peak + (1 << 20));
    named_fini(&list);
    free(bytes);
}

static void faults_leave_the_old_file(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    NamedList list = { 0 };
    make_list(&list);
    scratch_write(scratch_path("x.npz"), "old", 3);
    size_t held = mem_bytes();
    for (int memory = 0; memory < 2; memory++) {
        int failures = 0;
        for (long n = 0;; n++) {
            assert_true(n < 200);
            (memory ? mem_fail_after : file_fail_after)(n);
            bool ok = npz_save(scratch_path("x.npz"), list.items, list.n, &err);
            mem_fail_after(-1);
            file_fail_after(-1);
            assert_int_equal(mem_bytes(), held);
            assert_int_equal(scratch_count(), 1);
            if (ok)
                break;
            failures++;
            assert_int_equal(err.code, memory ? ERR_MEM : ERR_IO);
        }
        assert_true(failures >= 3);
        scratch_write(scratch_path("x.npz"), "old", 3);
    }
    named_fini(&list);
}

static void memory_may_run_out_while_reading(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    size_t held = mem_bytes();
    for (long n = 0;; n++) {
        assert_true(n < 200);
        NamedList list = { 0 };
        mem_fail_after(n);
        bool ok = npz_load(fixture_path("formats/deflated.npz"), &list, &err);
        mem_fail_after(-1);
        named_fini(&list);
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
        TEST(reads_numpys_archives), TEST(writes_and_reads_back),     TEST(damage_is_seen),
        TEST(attacks),               TEST(faults_leave_the_old_file), TEST(memory_may_run_out_while_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
