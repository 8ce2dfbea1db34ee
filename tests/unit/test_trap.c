// SPDX-License-Identifier: MIT
#include "check.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "ui/trap.h"

#define TELLERS 3
#define NEWS 20000   /* of each teller */
#define LOST_MS 5000 /* a wake-up that was not lost is here long before */

static _Atomic int news, seen;
static _Atomic bool lost;

/* Each waits until its news were seen, so that others tell theirs while the pipe is being read. */
static void *tell(void *arg)
{
    (void)arg;
    for (int i = 0; i < NEWS && !atomic_load(&lost); i++) {
        int mine = atomic_fetch_add(&news, 1) + 1;
        trap_wake();
        while (atomic_load(&seen) < mine && !atomic_load(&lost))
            sched_yield();
    }
    return NULL;
}

/* Wake-ups may be folded, but after each piece of news there is one: also when it came while the pipe was being read. */
static void test_no_wake_up_is_lost(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    pthread_t threads[TELLERS];
    assert_ok(trap_install(&err));
    trap_clear();
    for (int i = 0; i < TELLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, tell, NULL), 0);
    while (atomic_load(&seen) < TELLERS * NEWS && !atomic_load(&lost)) {
        struct pollfd fd = { .fd = trap_fd(), .events = POLLIN };
        if (poll(&fd, 1, LOST_MS) == 0)
            atomic_store(&lost, true);
        trap_clear();
        atomic_store(&seen, atomic_load(&news));
    }
    for (int i = 0; i < TELLERS; i++)
        pthread_join(threads[i], NULL);
    trap_restore();
    assert_false(lost);
}

static void test_signals_wake(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    assert_ok(trap_install(&err));
    trap_clear();
    raise(SIGWINCH);
    struct pollfd fd = { .fd = trap_fd(), .events = POLLIN };
    assert_int_equal(poll(&fd, 1, LOST_MS), 1);
    trap_clear();
    assert_true(trap_take(SIGWINCH));
    assert_false(trap_take(SIGWINCH));
    assert_int_equal(poll(&fd, 1, 0), 0);
    trap_restore();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_wake_up_is_lost), cmocka_unit_test(test_signals_wake) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
