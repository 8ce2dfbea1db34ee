// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/index.h"
#include "base/mem.h"

static NameIndex *fill(Err *err)
{
    NameIndex *index = index_new(err);
    if (!index)
        return NULL;
    index_add(index, "nn.Dense", 'f', "nn.Dense(units, {…})");
    index_add(index, "model:fit", 'm', "");
    index_add(index, "nn", 't', NULL);
    index_add(index, "nn.Conv2D", 'f', "");
    index_add(index, "nn.Conv2D(padding", 'a', "\"valid\" or \"same\"");
    index_add(index, "print", 'v', "");
    index_add(index, "nn.Dense", 'f', "");
    index_add(index, "näher", 'v', "");
    index_add(index, "nn.Conv2D(filters", 'a', "");
    return index_finish(index, err);
}

static void test_find(void **state)
{
    (void)state;
    Err err;
    NameIndex *index = fill(&err);
    assert_non_null(index);
    size_t n;
    const NameRow *rows = index_find(index, "nn.", &n);
    assert_int_equal(n, 4); /* the second nn.Dense is dropped */
    assert_string_equal(rows[0].path, "nn.Conv2D");
    assert_string_equal(rows[1].path, "nn.Conv2D(filters");
    assert_string_equal(rows[2].about, "\"valid\" or \"same\"");
    assert_string_equal(rows[3].about, "nn.Dense(units, {…})"); /* of two, the one that says more */
    rows = index_find(index, "", &n);
    assert_int_equal(n, 8);
    for (size_t i = 1; i < n; i++)
        assert_true(strcmp(rows[i - 1].path, rows[i].path) < 0);
    assert_non_null(index_find(index, "model:", &n));
    assert_int_equal(n, 1);
    assert_non_null(index_find(index, "nä", &n));
    assert_int_equal(n, 1);
    assert_null(index_find(index, "nn.Densest", &n));
    assert_int_equal(n, 0);
    assert_null(index_find(index, "zz", &n));
    assert_null(index_find(NULL, "a", &n));
    assert_ptr_equal(index_ref(index), index);
    index_unref(index);
    assert_non_null(index_find(index, "print", &n));
    index_unref(index);
    index_unref(NULL);
}

static void test_empty(void **state)
{
    (void)state;
    Err err;
    size_t n = 3;
    NameIndex *index = index_finish(index_new(&err), &err);
    assert_non_null(index);
    assert_null(index_find(index, "", &n));
    assert_int_equal(n, 0);
    index_unref(index);
    assert_null(index_finish(NULL, &err));
}

static void test_no_memory(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    Err err;
    int failures = 0;
    for (long n = 0; n < 50; n++) {
        mem_fail_after(n);
        NameIndex *index = fill(&err);
        mem_fail_after(-1);
        index_unref(index);
        assert_int_equal(mem_bytes(), before);
        if (index)
            break;
        assert_int_equal(err.code, ERR_MEM);
        failures++;
    }
    assert_true(failures > 1 && failures < 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_find), cmocka_unit_test(test_empty), cmocka_unit_test(test_no_memory) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
