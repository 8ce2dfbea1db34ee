// SPDX-License-Identifier: MIT
/* Whichever thread a signal comes to, what it means is done on the main thread: nothing there needs a lock. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "app/signals.h"
#include "base/clock.h"

static pthread_t main_thread;
static atomic_int here, elsewhere;

static void hook(void)
{
    atomic_fetch_add(pthread_equal(pthread_self(), main_thread) ? &here : &elsewhere, 1);
}

/* As a thread of a library: it blocks nothing. */
static void *foreign(void *done)
{
    while (!atomic_load((atomic_bool *)done))
        clock_sleep(0.001);
    return NULL;
}

static void test_any_thread(void **state)
{
    (void)state;
    static const int signals[] = { SIGINT, SIGTERM };
    atomic_bool done = false;
    pthread_t thread;
    main_thread = pthread_self();
    signals_init(hook, hook);
    assert_false(signals_interrupted() || signals_terminated() || signals_hung_up());
    assert_int_equal(pthread_create(&thread, NULL, foreign, &done), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_kill(thread, signals[i]), 0);
        for (double end = clock_now() + 20; atomic_load(&here) + atomic_load(&elsewhere) == i && clock_now() < end;)
            clock_sleep(0.001);
        assert_int_equal(atomic_load(&here), i + 1);
        assert_int_equal(atomic_load(&elsewhere), 0);
    }
    assert_true(signals_interrupted() && signals_terminated());
    pthread_kill(thread, SIGHUP);
    for (double end = clock_now() + 20; !signals_hung_up() && clock_now() < end;)
        clock_sleep(0.001);
    assert_true(signals_hung_up());
    atomic_store(&done, true);
    pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_any_thread) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
