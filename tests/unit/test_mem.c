// SPDX-License-Identifier: MIT
#include "check.h"

#include <pthread.h>

#include "base/mem.h"

static Err err;

static void test_counts(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    uint64_t count = mem_count();
    char *a = mem_alloc(10, 10, &err), *none = mem_alloc(0, 8, &err), *text = mem_copy_text("abc", &err);
    assert_non_null(a);
    assert_non_null(none);
    assert_string_equal(text, "abc");
    assert_int_equal((uintptr_t)a % MEM_ALIGN, 0);
    assert_int_equal((uintptr_t)none % MEM_ALIGN, 0);
    assert_true(mem_bytes() >= before + 104);
    assert_true(mem_peak() >= mem_bytes());
    assert_int_equal(mem_count(), count + 3);
    memset(a, 1, 100);
    mem_free(a);
    mem_free(none);
    mem_free(text);
    mem_free(NULL);
    assert_int_equal(mem_bytes(), before);
    assert_int_equal(mem_count(), count + 3);
}

static void test_zero_and_grow(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    int *a = mem_zero(100, sizeof *a, &err);
    for (int i = 0; i < 100; i++)
        assert_int_equal(a[i], 0);
    for (int i = 0; i < 100; i++)
        a[i] = i;
    a = mem_grow(a, 1000, sizeof *a, &err);
    assert_int_equal(a[99], 99);
    a = mem_grow(a, 5, sizeof *a, &err);
    assert_int_equal(a[4], 4);
    int *fresh = mem_grow(NULL, 3, sizeof *fresh, &err);
    assert_non_null(fresh);
    mem_free(a);
    mem_free(fresh);
    assert_int_equal(mem_bytes(), before);
}

static void test_too_much(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    int *a = mem_alloc(4, sizeof *a, &err);
    a[3] = 7;
    assert_err(mem_alloc(SIZE_MAX, 2, &err), ERR_MEM, "more than memory can hold");
    assert_err(mem_alloc(SIZE_MAX, 1, &err), ERR_MEM, "more than memory can hold");
    assert_err(mem_zero(SIZE_MAX / 2, 1, &err), ERR_MEM, "more than memory can hold");
    assert_err(mem_grow(a, SIZE_MAX / 4, 4, &err), ERR_MEM, "memory");
    assert_int_equal(a[3], 7); /* still there, still ours */
    mem_free(a);
    assert_int_equal(mem_bytes(), before);
}

static void test_limit(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    mem_limit(before + (4u << 20));
    char *a = mem_alloc(3u << 20, 1, &err);
    assert_non_null(a);
    assert_err(mem_alloc(2u << 20, 1, &err), ERR_MEM, "memory limit of");
    mem_free(a);
    a = mem_alloc(2u << 20, 1, &err);
    assert_non_null(a);
    mem_limit(0);
    char *b = mem_alloc(8u << 20, 1, &err);
    assert_non_null(b);
    mem_free(a);
    mem_free(b);
    assert_int_equal(mem_bytes(), before);
}

static void test_fail_after(void **state)
{
    (void)state;
    mem_fail_after(1);
    void *a = mem_alloc(1, 1, &err);
    assert_non_null(a);
    assert_err(mem_alloc(1, 1, &err), ERR_MEM, "out of memory");
    assert_err(mem_copy_text("x", &err), ERR_MEM, "out of memory");
    assert_err(mem_grow(a, 9, 9, &err), ERR_MEM, "out of memory");
    mem_fail_after(-1);
    mem_free(a);
}

static void *churn(void *arg)
{
    (void)arg;
    for (int i = 1; i < 2000; i++) {
        void *p = mem_alloc((size_t)i, 3, NULL);
        mem_free(p);
    }
    return NULL;
}

/* Counters hold when threads allocate at once. */
static void test_threads(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    uint64_t count = mem_count();
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, NULL), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(mem_bytes(), before);
    assert_int_equal(mem_count(), count + 3 * 1999);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_counts),     cmocka_unit_test(test_zero_and_grow),
                                        cmocka_unit_test(test_too_much),   cmocka_unit_test(test_limit),
                                        cmocka_unit_test(test_fail_after), cmocka_unit_test(test_threads) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
