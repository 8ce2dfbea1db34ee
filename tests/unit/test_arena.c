// SPDX-License-Identifier: MIT
#include "check.h"

#include "base/arena.h"
#include "base/mem.h"

static Err err;

/* Pieces do not overlap and are aligned, whatever their sizes. */
static void test_pieces(void **state)
{
    (void)state;
    Arena arena;
    unsigned char *pieces[200];
    arena_init(&arena);
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = arena_alloc(&arena, i * 37, &err);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % MEM_ALIGN, 0);
        memset(pieces[i], (int)i, i * 37);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t k = 0; k < i * 37; k++)
            assert_int_equal(pieces[i][k], (unsigned char)i);
    assert_true(arena.total >= 199 * 200 / 2 * 37);
    arena_fini(&arena);
}

/* One "training step" of mixed sizes; the last is larger than a block. */
static void step(Arena *arena, int seed)
{
    for (int i = 0; i < 50; i++) {
        size_t size = (size_t)((i * 7919 + seed * 104729) % 9000);
        void *p = arena_alloc(arena, size, &err);
        assert_non_null(p);
        memset(p, 1, size);
    }
    assert_non_null(arena_alloc(arena, 300000, &err));
}

static void test_steady(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    Arena arena;
    arena_init(&arena);
    step(&arena, 0);
    arena_reset(&arena);
    uint64_t count = mem_count();
    for (int i = 0; i < 20; i++) {
        step(&arena, 0);
        arena_reset(&arena);
        assert_int_equal(arena.total, 0);
    }
    assert_int_equal(mem_count(), count); /* the memory of the first step served all others */
    arena_fini(&arena);
    assert_int_equal(mem_bytes(), before);
}

static void test_mark(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena);
    arena_rewind(&arena, arena_mark(&arena)); /* of an arena that holds nothing yet */
    char *kept = arena_alloc(&arena, 100, &err);
    memset(kept, 5, 100);
    ArenaMark mark = arena_mark(&arena);
    size_t total = arena.total;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 30; i++)
            assert_non_null(arena_alloc(&arena, 20000, &err)); /* goes into further blocks */
        arena_rewind(&arena, mark);
        assert_int_equal(arena.total, total);
    }
    char *again = arena_alloc(&arena, 64, &err);
    assert_ptr_equal(again, kept + 128); /* right behind what the mark kept */
    for (int i = 0; i < 100; i++)
        assert_int_equal(kept[i], 5);
    char *zeros = arena_zero(&arena, 1000, &err);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(zeros[i], 0);
    arena_fini(&arena);
}

static void test_no_memory(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    for (long n = 0; n < 2; n++) {
        Arena arena;
        arena_init(&arena);
        mem_fail_after(n);
        assert_err(arena_alloc(&arena, 100, &err), ERR_MEM, "memory");
        mem_fail_after(-1);
        assert_non_null(arena_alloc(&arena, 100, &err)); /* it can be used afterwards */
        assert_err(arena_alloc(&arena, SIZE_MAX, &err), ERR_MEM, "memory");
        assert_err(arena_alloc(&arena, SIZE_MAX / 8, &err), ERR_MEM, "memory");
        arena_fini(&arena);
    }
    assert_int_equal(mem_bytes(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pieces), cmocka_unit_test(test_steady), cmocka_unit_test(test_mark),
                                        cmocka_unit_test(test_no_memory) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
