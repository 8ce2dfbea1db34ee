// SPDX-License-Identifier: MIT
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ui/epochs.h"

static Telemetry *make(void)
{
    TelePlan plan = { .n_metrics = 2, .metrics = { "loss", "accuracy" } };
    Err err = ERR_INIT;
    Telemetry *tele = telemetry_new(&plan, &err);
    assert_non_null(tele);
    return tele;
}

static void add_epoch(Telemetry *tele, int64_t step, double value)
{
    Fact fact = { .kind = FACT_EPOCH, .step = step, .metrics = { value, 2 * value }, .validation = { NAN, -value } };
    telemetry_add_fact(tele, &fact);
}

static void add_event(Telemetry *tele, int64_t step, bool by_user)
{
    Fact fact = { .kind = FACT_EVENT, .step = step, .by_user = by_user };
    telemetry_add_fact(tele, &fact);
}

static void epochs_and_marks_are_taken_in_once(void **state)
{
    (void)state;
    Telemetry *tele = make();
    Epochs epochs;
    epochs_init(&epochs, 2);
    for (int i = 1; i <= 1000; i++) {
        add_epoch(tele, 10 * i, i);
        add_event(tele, 10 * i, i % 100 == 0);
        if (i % 7 == 0)
            epochs_fetch(&epochs, tele);
    }
    epochs_fetch(&epochs, tele);
    epochs_fetch(&epochs, tele);
    assert_int_equal(epochs.n, 1000);
    assert_int_equal(epochs.n_marks, 10);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(epochs.steps[i], 10 * (i + 1));
        assert_false(epochs.left[i]);
        assert_true(epochs_value(&epochs, i, 0, 1) == 2.0 * (double)(i + 1) && epochs_value(&epochs, i, 1, 1) == -(double)(i + 1));
        assert_true(isnan(epochs_value(&epochs, i, 1, 0)));
    }
    assert_int_equal(telemetry_fact(tele, epochs.marks[9])->step, 10000);
    epochs_fini(&epochs);
    telemetry_unref(tele);
}

/* Epochs 1 2 3 4, back to 1, 2 3, back to 2, 3: the present line is the first 1, the second 2, the third 3. */
static void rewinds_leave_lines(void **state)
{
    (void)state;
    static const int64_t steps[] = { 10, 20, 30, 40, 20, 30, 30 };
    static const bool left[] = { false, true, true, true, false, true, false };
    Telemetry *tele = make();
    Epochs epochs;
    epochs_init(&epochs, 2);
    for (int i = 0; i < 7; i++)
        add_epoch(tele, steps[i], 1);
    epochs_fetch(&epochs, tele);
    assert_int_equal(epochs.n, 7);
    for (int i = 0; i < 7; i++)
        assert_int_equal(epochs.left[i], left[i]);
    epochs_fini(&epochs);
    telemetry_unref(tele);
}

static void it_goes_on_when_there_is_memory_again(void **state)
{
    (void)state;
    for (long n = 0; n < 12; n++) {
        Telemetry *tele = make();
        Epochs epochs;
        epochs_init(&epochs, 2);
        for (int i = 1; i <= 200; i++) {
            add_epoch(tele, i, i);
            add_event(tele, i, true);
        }
        mem_fail_after(n);
        epochs_fetch(&epochs, tele);
        mem_fail_after(-1);
        epochs_fetch(&epochs, tele);
        assert_int_equal(epochs.n, 200);
        assert_int_equal(epochs.n_marks, 200);
        for (size_t i = 0; i < 200; i++)
            assert_int_equal(epochs.steps[i], i + 1);
        epochs_fini(&epochs);
        telemetry_unref(tele);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_and_marks_are_taken_in_once),
        cmocka_unit_test(rewinds_leave_lines),
        cmocka_unit_test(it_goes_on_when_there_is_memory_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
