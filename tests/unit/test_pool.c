// SPDX-License-Identifier: MIT
/* The pool under many short loops, several callers at once, loops inside tiles, more threads than processors. The thread
 * sanitizer's build runs the same tests. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/pool.h"

static Err err;

typedef struct Tally {
    _Atomic int runs[1000]; /* how often each tile ran */
    _Atomic int busy[POOL_MOST];
    _Atomic int clashes;
    int plain[1000]; /* written by tiles without atomics: the loop's end must publish it */
} Tally;

static void count_tile(void *ctx, size_t tile, int worker)
{
    Tally *tally = ctx;
    if (worker < 0 || worker >= POOL_MOST || atomic_fetch_add(&tally->busy[worker], 1) != 0)
        atomic_fetch_add(&tally->clashes, 1);
    atomic_fetch_add(&tally->runs[tile], 1);
    tally->plain[tile] += (int)tile;
    atomic_fetch_sub(&tally->busy[worker], 1);
}

static void check_tally(const Tally *tally, size_t n_tiles, int rounds)
{
    for (size_t tile = 0; tile < 1000; tile++) {
        assert_int_equal(atomic_load(&tally->runs[tile]), tile < n_tiles ? rounds : 0);
        assert_int_equal(tally->plain[tile], tile < n_tiles ? rounds * (int)tile : 0);
    }
    assert_int_equal(atomic_load(&tally->clashes), 0);
}

/* Every tile once a loop, never two tiles with the same worker at a time. */
static void test_every_tile(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 2, 3, 17, 1000 };
    for (int threads = 1; threads <= 5; threads += 2) {
        assert_ok(pool_start(threads, &err));
        assert_int_equal(pool_threads(), threads);
        for (size_t s = 0; s < COUNT_OF(sizes); s++) {
            static Tally tally;
            memset(&tally, 0, sizeof tally);
            for (int round = 0; round < 300; round++)
                pool_run(sizes[s], count_tile, &tally);
            check_tally(&tally, sizes[s], 300);
        }
        pool_stop();
        assert_int_equal(pool_threads(), 1);
    }
}

static void test_before_start(void **state)
{
    (void)state;
    static Tally tally;
    assert_int_equal(pool_threads(), 1);
    pool_run(10, count_tile, &tally);
    check_tally(&tally, 10, 1);
    pool_stop(); /* of a pool that was never started */
    assert_err(pool_start(-1, &err), ERR_ARG, "threads must be 1 to 64, got -1");
    assert_err(pool_start(POOL_MOST + 1, &err), ERR_ARG, "got 65");
    assert_true(pool_cores() >= 1 && pool_cores() <= POOL_MOST);
    assert_ok(pool_start(0, &err));
    assert_int_equal(pool_threads(), pool_cores());
    pool_stop();
}

/* Workers that went to sleep wake up for the next loop. */
static void test_sleepers(void **state)
{
    (void)state;
    static Tally tally;
    assert_ok(pool_start(3, &err));
    for (int round = 0; round < 30; round++) {
        clock_sleep(0.002); /* longer than they spin; a loop that finds them awake tests less, not wrongly */
        pool_run(50, count_tile, &tally);
    }
    check_tally(&tally, 50, 30);
    pool_stop();
}

typedef struct Caller {
    Tally tally;
    pthread_t thread;
} Caller;

static void *call_loops(void *arg)
{
    Caller *caller = arg;
    for (int round = 0; round < 500; round++)
        pool_run(20, count_tile, &caller->tally);
    return NULL;
}

/* Several threads want the pool: one has it, the others run alone; nobody's tiles are mixed up. */
static void test_callers(void **state)
{
    (void)state;
    static Caller callers[4];
    memset(callers, 0, sizeof callers);
    assert_ok(pool_start(3, &err));
    for (size_t i = 0; i < COUNT_OF(callers); i++)
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_loops, &callers[i]), 0);
    for (size_t i = 0; i < COUNT_OF(callers); i++)
        pthread_join(callers[i].thread, NULL);
    for (size_t i = 0; i < COUNT_OF(callers); i++)
        check_tally(&callers[i].tally, 20, 500);
    pool_stop();
}

static void nested_tile(void *ctx, size_t tile, int worker)
{
    Tally *tally = ctx;
    (void)worker;
    pool_run(10, count_tile, &tally[tile]); /* kernels that are used inside tiles do this: it must not hang */
}

static void test_nested(void **state)
{
    (void)state;
    static Tally tally[8];
    memset(tally, 0, sizeof tally);
    assert_ok(pool_start(3, &err));
    for (int round = 0; round < 50; round++)
        pool_run(8, nested_tile, tally);
    for (int i = 0; i < 8; i++)
        check_tally(&tally[i], 10, 50);
    pool_stop();
}

static void test_cuts(void **state)
{
    (void)state;
    for (size_t n = 0; n < 50; n++)
        for (size_t tiles = 1; tiles < 12; tiles++) {
            assert_int_equal(pool_first(n, tiles, 0), 0);
            assert_int_equal(pool_first(n, tiles, tiles), n);
            for (size_t t = 0; t < tiles; t++) {
                size_t length = pool_first(n, tiles, t + 1) - pool_first(n, tiles, t);
                assert_true(length == n / tiles || length == n / tiles + 1);
            }
        }
    assert_int_equal(pool_tiles(0, 1), 1);
    assert_int_equal(pool_tiles(3, 1e9), 3);
    assert_int_equal(pool_tiles(1000, 1), 1);
    assert_true(pool_tiles(1u << 30, 100) >= 16);
    size_t alone = pool_tiles(1u << 20, 4);
    assert_ok(pool_start(4, &err));
    assert_int_equal(pool_tiles(1u << 20, 4), alone); /* by the sizes, never by the threads */
    pool_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_before_start), cmocka_unit_test(test_every_tile),
                                        cmocka_unit_test(test_sleepers),     cmocka_unit_test(test_callers),
                                        cmocka_unit_test(test_nested),       cmocka_unit_test(test_cuts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
