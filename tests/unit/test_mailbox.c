// SPDX-License-Identifier: MIT
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mailbox.h"
#include "base/mem.h"

static Err err;

typedef struct Letter {
    Mail mail;
    int from, number;
} Letter;

static bool readable(const Mailbox *box)
{
    struct pollfd fd = { .fd = mailbox_fd(box), .events = POLLIN };
    return poll(&fd, 1, 0) == 1;
}

static void test_order(void **state)
{
    (void)state;
    Mailbox *box = mailbox_new(&err);
    assert_non_null(box);
    Letter letters[100];
    assert_null(mailbox_take(box));
    for (int i = 0; i < 100; i++) {
        letters[i].number = i;
        mailbox_post(box, &letters[i].mail);
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(((Letter *)mailbox_take(box))->number, i);
    assert_null(mailbox_take(box));
    mailbox_post(box, &letters[3].mail); /* a taken message may be posted again */
    assert_ptr_equal(mailbox_take(box), &letters[3].mail);
    mailbox_free(box);
    mailbox_free(NULL);
}

static void test_descriptor(void **state)
{
    (void)state;
    Mailbox *box = mailbox_new(&err);
    Letter a, b;
    assert_false(readable(box));
    assert_int_equal(fcntl(mailbox_fd(box), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    mailbox_post(box, &a.mail);
    mailbox_post(box, &b.mail);
    assert_true(readable(box));
    mailbox_take(box);
    mailbox_drain(box);
    assert_true(readable(box)); /* one is left: no wake-up is lost */
    mailbox_take(box);
    mailbox_drain(box);
    assert_false(readable(box));
    for (int i = 0; i < 100000; i++)
        mailbox_wake(box); /* more than a pipe holds: never blocks */
    assert_true(readable(box));
    mailbox_drain(box);
    assert_false(readable(box));
    mailbox_free(box);
}

static void test_wait(void **state)
{
    (void)state;
    Mailbox *box = mailbox_new(&err);
    Letter a;
    double start = clock_now();
    mailbox_wait(box, 0.02);
    assert_true(clock_now() - start > 0.015);
    mailbox_wake(box);
    start = clock_now();
    mailbox_wait(box, 30);
    mailbox_post(box, &a.mail);
    mailbox_wait(box, 30);
    mailbox_wait(box, 30); /* the message was not taken: it still counts */
    assert_true(clock_now() - start < 20);
    assert_ptr_equal(mailbox_take(box), &a.mail);
    mailbox_free(box);
}

static Mailbox *signal_box;

static void wake_from_signal(int number)
{
    (void)number;
    mailbox_wake(signal_box);
}

static void test_signal(void **state)
{
    (void)state;
    signal_box = mailbox_new(&err);
    struct sigaction action = { .sa_handler = wake_from_signal }, before;
    sigaction(SIGUSR1, &action, &before);
    raise(SIGUSR1);
    assert_true(readable(signal_box));
    sigaction(SIGUSR1, &before, NULL);
    mailbox_free(signal_box);
}

enum { POSTERS = 3, LETTERS = 3000 };

typedef struct Poster {
    Mailbox *box;
    int number;
    Letter letters[LETTERS];
} Poster;

static void *post_all(void *arg)
{
    Poster *poster = arg;
    for (int i = 0; i < LETTERS; i++) {
        poster->letters[i] = (Letter){ .from = poster->number, .number = i };
        mailbox_post(poster->box, &poster->letters[i].mail);
    }
    return NULL;
}

/* Any number of posters: nothing is lost, and each poster's messages keep their order. */
static void test_posters(void **state)
{
    (void)state;
    static Poster posters[POSTERS];
    pthread_t threads[POSTERS];
    int next[POSTERS] = { 0 }, taken = 0;
    Mailbox *box = mailbox_new(&err);
    for (int i = 0; i < POSTERS; i++) {
        posters[i].box = box;
        posters[i].number = i;
        assert_int_equal(pthread_create(&threads[i], NULL, post_all, &posters[i]), 0);
    }
    double deadline = clock_now() + 60;
    while (taken < POSTERS * LETTERS && clock_now() < deadline) {
        mailbox_wait(box, 1);
        for (Letter *letter; (letter = (Letter *)mailbox_take(box)); taken++)
            assert_int_equal(letter->number, next[letter->from]++);
    }
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(taken, POSTERS * LETTERS);
    mailbox_free(box);
}

static void test_no_room(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    mem_fail_after(0);
    assert_err(mailbox_new(&err), ERR_MEM, "memory");
    mem_fail_after(-1);
    struct rlimit old, none = { 0, 0 };
    getrlimit(RLIMIT_NOFILE, &old);
    none.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_NOFILE, &none);
    Mailbox *box = mailbox_new(&err);
    setrlimit(RLIMIT_NOFILE, &old);
    assert_null(box);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(mem_bytes(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_order),   cmocka_unit_test(test_descriptor),
                                        cmocka_unit_test(test_wait),    cmocka_unit_test(test_signal),
                                        cmocka_unit_test(test_posters), cmocka_unit_test(test_no_room) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
