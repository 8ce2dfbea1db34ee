// SPDX-License-Identifier: MIT
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "train/telemetry.h"

static Telemetry *make(void)
{
    TelePlan plan = { .run_id = 1, .model = "m", .n_metrics = 2, .metrics = { "loss", "accuracy" }, .n_epochs = 3, .steps_per_epoch = 10 };
    Err err = ERR_INIT;
    Telemetry *tele = telemetry_new(&plan, &err);
    assert_non_null(tele);
    return tele;
}

static void add(Telemetry *tele, int64_t step, double value)
{
    double metrics[TELE_METRICS] = { value, 1 };
    telemetry_add_step(tele, step, metrics, 0.001);
}

static TeleSeries series;

static void a_new_run_shows_nothing(void **state)
{
    (void)state;
    Telemetry *tele = make();
    TeleNow now;
    telemetry_now(tele, &now);
    assert_int_equal(now.state, RUN_WAITING);
    assert_true(isnan(now.metrics[0]) && isnan(now.validation[0]) && now.left_s < 0);
    telemetry_series(tele, 0, &series);
    assert_int_equal(series.n, 0);
    assert_int_equal(series.width, 1);
    telemetry_series(tele, 99, &series);
    assert_int_equal(series.n, 0);
    assert_int_equal(telemetry_facts(tele), 0);
    assert_null(telemetry_fact(tele, 0));
    assert_null(telemetry_picture(tele, PICTURE_PROBE));
    telemetry_picture_free(NULL);
    assert_string_equal(telemetry_plan(tele)->metrics[1], "accuracy");
    telemetry_unref(tele);
    telemetry_unref(NULL);
    assert_string_equal(run_state_name(RUN_TROUBLE), "trouble");
    assert_string_equal(run_state_name((RunState)99), "unknown");
}

static void bad_plans_and_no_memory_are_refused(void **state)
{
    (void)state;
    TelePlan plan = { .n_metrics = 0 };
    Err err = ERR_INIT;
    assert_null(telemetry_new(&plan, &err));
    assert_int_equal(err.code, ERR_ARG);
    plan.n_metrics = TELE_METRICS + 1;
    assert_null(telemetry_new(&plan, &err));
    plan.n_metrics = 1;
    mem_fail_after(0);
    Telemetry *tele = telemetry_new(&plan, &err);
    mem_fail_after(-1);
    assert_null(tele);
    assert_int_equal(err.code, ERR_MEM);
}

/* Whatever the number of steps: the buckets cover all of them, in order, and keep least, most, mean and last. */
static void buckets_double_and_lose_nothing(void **state)
{
    (void)state;
    static const int64_t lengths[] = { 1, 2, 511, 512, 513, 1024, 1025, 5000, 100003 };
    for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
        Telemetry *tele = make();
        for (int64_t step = 1; step <= lengths[k]; step++)
            add(tele, step, (double)step);
        telemetry_series(tele, 0, &series);
        assert_true(series.n <= TELE_BUCKETS && (lengths[k] < TELE_BUCKETS || series.n >= TELE_BUCKETS / 2));
        assert_int_equal(series.n_steps, lengths[k]);
        int64_t next = 1;
        for (int i = 0; i < series.n; i++) {
            const TeleBucket *b = &series.buckets[i];
            assert_int_equal(b->first, next);
            next += b->n;
            assert_true(b->n <= series.width && (i == series.n - 1 || b->n == series.width));
            assert_true(b->min == (float)b->first && b->max == (float)(next - 1) && b->last == b->max);
            assert_true(fabs((double)b->mean - ((double)b->min + (double)b->max) / 2) <= 1e-6 * (double)b->max);
        }
        assert_int_equal(next, lengths[k] + 1);
        telemetry_unref(tele);
    }
}

static void bad_values_are_counted_not_drawn(void **state)
{
    (void)state;
    Telemetry *tele = make();
    for (int64_t step = 1; step <= 1024; step++)
        add(tele, step, step % 4 == 0 ? NAN : step % 4 == 1 ? INFINITY : step % 4 == 2 ? 1e300 : 7);
    telemetry_series(tele, 0, &series);
    for (int i = 0; i < series.n; i++) {
        const TeleBucket *b = &series.buckets[i];
        bool seven = b->first % 4 == 3;
        assert_int_equal(b->n_bad, seven ? 1 : 2);
        assert_true(seven ? b->min == 7 && b->max == 7 && b->mean == 7 && b->last == 7 : isnan(b->min) && isnan(b->mean) && isnan(b->last));
    }
    for (int64_t step = 1025; step <= 2048; step++) /* merging keeps both sides */
        add(tele, step, 1);
    telemetry_series(tele, 0, &series);
    assert_true(series.buckets[0].mean == 7 && series.buckets[0].n_bad == 3 && series.buckets[series.n - 1].mean == 1);
    telemetry_unref(tele);
}

static void a_cut_forgets_what_came_after(void **state)
{
    (void)state;
    Telemetry *tele = make();
    for (int64_t step = 1; step <= 100; step++)
        add(tele, step, (double)step);
    telemetry_cut(tele, 40);
    telemetry_series(tele, 0, &series);
    assert_int_equal(series.n, 40);
    assert_int_equal(series.n_steps, 40);
    for (int64_t step = 41; step <= 3000; step++)
        add(tele, step, 1);
    telemetry_cut(tele, 1001); /* in the middle of a bucket of eight */
    for (int64_t step = 1002; step <= 1100; step++)
        add(tele, step, 2);
    telemetry_series(tele, 0, &series);
    int64_t last = 0;
    for (int i = 0; i < series.n; i++) {
        assert_true(series.buckets[i].first > last);
        last = series.buckets[i].first + series.buckets[i].n - 1;
        assert_true(last <= 1001 ? series.buckets[i].max <= 40 : series.buckets[i].min == 2);
    }
    assert_int_equal(last, 1100);
    telemetry_cut(tele, 0);
    telemetry_series(tele, 0, &series);
    assert_int_equal(series.n, 0);
    assert_int_equal(series.n_steps, 0);
    telemetry_unref(tele);
}

static void facts_are_kept_in_order(void **state)
{
    (void)state;
    Telemetry *tele = make();
    const Fact *first = NULL;
    for (int i = 0; i < 5000; i++) {
        Fact fact = { .kind = FACT_EPOCH, .epoch = i, .step = 10 * i };
        telemetry_add_fact(tele, &fact);
        first = first ? first : telemetry_fact(tele, 0);
    }
    assert_int_equal(telemetry_facts(tele), 5000);
    assert_ptr_equal(telemetry_fact(tele, 0), first); /* never moves */
    for (int i = 0; i < 5000; i++)
        assert_int_equal(telemetry_fact(tele, (size_t)i)->epoch, i);
    assert_null(telemetry_fact(tele, 5000));
    telemetry_unref(tele);
}

static void a_fact_without_memory_is_kept_or_reported(void **state)
{
    (void)state;
    for (int failed = 1; failed <= 4; failed++) {
        Telemetry *tele = make();
        mem_fail_after(0);
        for (int i = 0; i < failed; i++) {
            Fact fact = { .kind = FACT_EVENT, .epoch = i };
            telemetry_add_fact(tele, &fact);
        }
        assert_int_equal(telemetry_facts(tele), 0);
        mem_fail_after(-1);
        Fact fact = { .kind = FACT_EVENT, .epoch = 77 };
        telemetry_add_fact(tele, &fact);
        size_t n = telemetry_facts(tele);
        assert_int_equal(n, failed > 1 ? 3 : 2);
        assert_int_equal(telemetry_fact(tele, 0)->epoch, 0);
        assert_int_equal(telemetry_fact(tele, n - 1)->epoch, 77);
        if (failed > 1) {
            char expected[80];
            snprintf(expected, sizeof expected, "memory ran out: %d entr%s of the history could not be kept", failed - 1, failed == 2 ? "y" : "ies");
            assert_string_equal(telemetry_fact(tele, 1)->text, expected);
        }
        telemetry_unref(tele);
    }
}

static void pictures_are_exchanged_and_recycled(void **state)
{
    (void)state;
    Telemetry *tele = make();
    size_t before = mem_bytes();
    uint64_t allocations = 0;
    for (int i = 0; i < 1000; i++) {
        char *picture = telemetry_picture_new(tele, PICTURE_PROBE, 1000);
        assert_non_null(picture);
        memset(picture, i & 127, 1000);
        telemetry_set_picture(tele, PICTURE_PROBE, picture);
        const char *seen = telemetry_picture(tele, PICTURE_PROBE), *twice = telemetry_picture(tele, PICTURE_PROBE);
        assert_ptr_equal(seen, twice);
        assert_int_equal(seen[999], i & 127);
        telemetry_picture_free(seen);
        telemetry_picture_free(twice);
        if (i == 10)
            allocations = mem_count();
    }
    assert_int_equal(mem_count(), allocations);
    assert_true(mem_bytes() - before < 4 * 1200);
    /* what a reader holds stays, also when there are newer ones, and when the run itself is let go */
    const char *held = telemetry_picture(tele, PICTURE_PROBE);
    const void *slots[32];
    int n = 0;
    for (void *next; n < 32 && (next = telemetry_picture_new(tele, PICTURE_PROBE, 3000)); n++) {
        memset(next, 1, 3000);
        telemetry_set_picture(tele, PICTURE_PROBE, next);
        slots[n] = telemetry_picture(tele, PICTURE_PROBE);
    }
    assert_true(n > 4 && n < 32); /* readers that hold everything cost a picture, not memory without end */
    assert_int_equal(held[0], 999 & 127);
    telemetry_unref(tele);
    for (int i = 0; i < n; i++)
        telemetry_picture_free(slots[i]);
    assert_int_equal(held[999], 999 & 127);
    telemetry_picture_free(held);
    assert_true(mem_bytes() < before); /* the Telemetry itself is gone */
}

static int woken;

static void wake(void *ctx)
{
    woken += *(int *)ctx;
}

static void the_waker_is_called_once_between_looks(void **state)
{
    (void)state;
    Telemetry *tele = make();
    int one = 1;
    telemetry_set_waker(wake, &one);
    woken = 0;
    uint64_t version = telemetry_version(tele);
    for (int64_t step = 1; step <= 100; step++)
        add(tele, step, 1);
    assert_int_equal(woken, 1);
    assert_true(telemetry_version(tele) > version);
    add(tele, 101, 1);
    assert_int_equal(woken, 2);
    Fact fact = { .kind = FACT_EPOCH };
    telemetry_add_fact(tele, &fact);
    assert_int_equal(woken, 3);
    TeleNow now = { .state = RUN_PAUSED };
    telemetry_set_now(tele, &now);
    assert_int_equal(woken, 4);
    telemetry_set_now(tele, &now);
    assert_int_equal(woken, 4);
    telemetry_set_waker(NULL, NULL);
    telemetry_watch(tele, PICTURE_LAYERS, true);
    telemetry_watch(tele, PICTURE_LAYERS, true);
    telemetry_watch(tele, PICTURE_LAYERS, false);
    assert_true(telemetry_watched(tele, PICTURE_LAYERS));
    telemetry_watch(tele, PICTURE_LAYERS, false);
    assert_false(telemetry_watched(tele, PICTURE_LAYERS));
    telemetry_unref(tele);
}

/* ---- one writer, several readers ---- */

#define STEPS 20000
#define ROUNDS 300
static atomic_bool done;
static atomic_int broken, rounds;

static void *read_all(void *arg)
{
    Telemetry *tele = arg;
    static _Thread_local TeleSeries s;
    while (!atomic_load(&done)) {
        TeleNow now;
        telemetry_now(tele, &now);
        bool ok = now.step == 0 || (now.step_in_epoch == now.step && now.rate == (double)now.step && now.reason[199] == (char)now.step);
        telemetry_series(tele, 0, &s);
        for (int i = 0; i < s.n; i++) {
            const TeleBucket *b = &s.buckets[i];
            ok = ok && b->min == (float)b->first && b->max == (float)(b->first + b->n - 1) && b->last == b->max;
            ok = ok && (i == 0 ? b->first == 1 : b->first == s.buckets[i - 1].first + s.buckets[i - 1].n);
        }
        ok = ok && (s.n == 0 || s.buckets[s.n - 1].first + s.buckets[s.n - 1].n - 1 == s.n_steps);
        size_t n = telemetry_facts(tele);
        for (size_t i = n > 20 ? n - 20 : 0; i < n; i++)
            ok = ok && telemetry_fact(tele, i)->step == (int64_t)i;
        const int64_t *picture = telemetry_picture(tele, PICTURE_CONFUSION);
        for (int i = 0; picture && i < 100; i++)
            ok = ok && picture[i] == picture[0];
        telemetry_picture_free(picture);
        (void)telemetry_version(tele);
        if (!ok)
            atomic_fetch_add(&broken, 1);
        atomic_fetch_add(&rounds, 1);
    }
    telemetry_unref(tele);
    return NULL;
}

static void readers_see_whole_states(void **state)
{
    (void)state;
    Telemetry *tele = make();
    pthread_t readers[3];
    atomic_store(&done, false);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_all, telemetry_ref(tele)), 0);
    atomic_store(&rounds, 0);
    for (int64_t step = 1; step <= STEPS || (atomic_load(&rounds) < ROUNDS && step < 100 * STEPS); step++) {
        add(tele, step, (double)step);
        TeleNow now = { .state = RUN_TRAINING, .step = step, .step_in_epoch = step, .rate = (double)step };
        now.reason[199] = (char)step;
        telemetry_set_now(tele, &now);
        if (step % 10 == 0 && step <= STEPS) {
            Fact fact = { .kind = FACT_EPOCH, .step = step / 10 - 1 };
            telemetry_add_fact(tele, &fact);
            int64_t *picture = telemetry_picture_new(tele, PICTURE_CONFUSION, 100 * sizeof *picture);
            for (int i = 0; picture && i < 100; i++)
                picture[i] = step;
            if (picture)
                telemetry_set_picture(tele, PICTURE_CONFUSION, picture);
        }
    }
    atomic_store(&done, true);
    for (int i = 0; i < 3; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&broken), 0);
    assert_true(atomic_load(&rounds) >= ROUNDS);
    telemetry_unref(tele);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_run_shows_nothing),
        cmocka_unit_test(bad_plans_and_no_memory_are_refused),
        cmocka_unit_test(buckets_double_and_lose_nothing),
        cmocka_unit_test(bad_values_are_counted_not_drawn),
        cmocka_unit_test(a_cut_forgets_what_came_after),
        cmocka_unit_test(facts_are_kept_in_order),
        cmocka_unit_test(a_fact_without_memory_is_kept_or_reported),
        cmocka_unit_test(pictures_are_exchanged_and_recycled),
        cmocka_unit_test(the_waker_is_called_once_between_looks),
        cmocka_unit_test(readers_see_whole_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
