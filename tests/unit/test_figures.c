// SPDX-License-Identifier: MIT
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ui/figures.h"

/* Rows: true class. Class 3 is never there and never said. */
static uint32_t counts[16] = {
    8, 2, 0, 0, /* 0 */
    1, 9, 0, 0, /* 1 */
    5, 0, 0, 0, /* 2: never recognised, never said */
    0, 0, 0, 0, /* 3 */
};
static const TeleConfusion data = { .n = 4, .counts = counts };

static void figures_follow_their_definitions(void **state)
{
    (void)state;
    Figures f = figures_of(&data, 0);
    assert_true(fabs(f.precision - 8.0 / 14) < 1e-12 && fabs(f.recall - 0.8) < 1e-12 && fabs(f.f1 - 16.0 / 24) < 1e-12);
    f = figures_of(&data, 2);
    assert_true(isnan(f.precision) && f.recall == 0 && f.f1 == 0);
    f = figures_of(&data, 3);
    assert_true(isnan(f.precision) && isnan(f.recall) && isnan(f.f1));
}

static void the_worst_come_first(void **state)
{
    (void)state;
    int worst[4];
    assert_int_equal(figures_worst(&data, worst, 4), 3);
    assert_true(worst[0] == 2 && worst[1] == 0 && worst[2] == 1);
    assert_int_equal(figures_worst(&data, worst, 2), 2);
    assert_true(worst[0] == 2 && worst[1] == 0);
    assert_int_equal(figures_worst(&data, worst, 0), 0);
    mem_fail_after(0);
    int n = figures_worst(&data, worst, 4);
    mem_fail_after(-1);
    assert_int_equal(n, 0);
}

static void mistakes_are_counted_off_the_diagonal(void **state)
{
    (void)state;
    size_t places[4];
    assert_int_equal(figures_mistakes(&data, places, 4), 3);
    assert_true(places[0] == 8 && places[1] == 1 && places[2] == 4);
    assert_int_equal(figures_mistakes(&data, places, 1), 1);
    assert_int_equal(places[0], 8);
    assert_int_equal(figures_mistakes(&data, places, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_follow_their_definitions),
        cmocka_unit_test(the_worst_come_first),
        cmocka_unit_test(mistakes_are_counted_off_the_diagonal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
