// SPDX-License-Identifier: MIT
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "ui/chart.h"

static const Style plain = { INK_DEFAULT, INK_DEFAULT, 0 };

/* Labels from the top row down, "" where there is none, joined by blanks. */
static const char *labels(const ChartAxis *axis, bool percent)
{
    static char out[2000];
    out[0] = '\0';
    for (int row = axis->rows - 1; row >= 0; row--) {
        char text[32];
        strcat(out, chart_label(axis, row, percent, text) ? text : "");
        strcat(out, row ? " " : "");
    }
    return out;
}

static const char *fit(double low, double high, int rows, bool log, double most)
{
    ChartAxis axis = { 0 };
    chart_fit(&axis, low, high, rows, log, most);
    return labels(&axis, most == 1);
}

static void labels_are_nice_and_on_their_rows(void **state)
{
    (void)state;
    assert_string_equal(fit(0.05, 2.4, 7, false, NAN), "3  2  1  0");
    assert_string_equal(fit(0, 1, 11, false, 1), "100%  80%  60%  40%  20%  0%");
}

/* Whatever the data: they lie inside, there are at least two labels, and a label's value is its row's. */
static void every_axis_holds_its_data(void **state)
{
    (void)state;
    Rng rng;
    rng_init(&rng, 1, RNG_TEST, 9);
    for (int i = 0; i < 20000; i++) {
        bool log = rng_below(&rng, 2);
        double scale = pow(10, (double)rng_below(&rng, 24) - 12), a = rng_normal(&rng) * scale, b = rng_normal(&rng) * scale;
        a = log ? fabs(a) + 1e-300 : a;
        b = log ? fabs(b) + 1e-300 : b;
        double low = a < b ? a : b, high = a < b ? b : a;
        if (rng_below(&rng, 10) == 0)
            high = low;
        int rows = 2 + (int)rng_below(&rng, 60), n = 0;
        ChartAxis axis = { 0 };
        chart_fit(&axis, low, high, rows, log, NAN);
        assert_true(chart_row(&axis, low) >= -0.51 && chart_row(&axis, high) <= rows - 0.49);
        for (int row = 0; row < rows; row++) {
            char text[32];
            if (!chart_label(&axis, row, false, text))
                continue;
            n++;
            double value = strtod(text, NULL);
            assert_true(strlen(text) <= 6);
            if (log)
                assert_true(fabs(chart_row(&axis, value) - row) < 0.2);
        }
        if (n < 2)
            print_message("# %g … %g on %d rows, log %d: %d labels\n", low, high, rows, log, n);
        assert_true(n >= 2);
    }
}

static void odd_limits_are_survived(void **state)
{
    (void)state;
    static const double values[] = { NAN, INFINITY, -INFINITY, 0, -1, 1e308, -1e308, 5e-324, 1, 1.0000000001 };
    for (size_t i = 0; i < 10; i++)
        for (size_t j = 0; j < 10; j++)
            for (int rows = 1; rows < 5; rows++)
                for (int log = 0; log < 2; log++) {
                    ChartAxis axis = { 0 };
                    char text[32];
                    chart_fit(&axis, values[i], values[j], rows, log, j % 2 ? 1 : (double)NAN);
                    assert_int_equal(axis.rows, rows);
                    assert_true(axis.per_row > 0);
                    for (int row = -1; row <= rows; row++)
                        (void)chart_label(&axis, row, false, text);
                }
    ChartAxis axis = { 0 };
    chart_fit(&axis, 0.5, 0.5, 8, false, NAN); /* one value: in the middle of something */
    assert_true(chart_row(&axis, 0.5) > 0 && chart_row(&axis, 0.5) < 7);
    chart_fit(&axis, 0, 0, 8, false, NAN);
    assert_true(chart_row(&axis, 0) >= -0.5);
    assert_true(isnan(chart_row(&axis, NAN)));
    chart_fit(&axis, 1e-3, 10, 8, true, NAN);
    assert_true(isnan(chart_row(&axis, 0)) && isnan(chart_row(&axis, -1)));
}

static void an_axis_keeps_still(void **state)
{
    (void)state;
    ChartAxis axis = { 0 };
    chart_fit(&axis, 0, 2.4, 8, false, NAN);
    ChartAxis first = axis;
    chart_fit(&axis, 0.1, 2.3, 8, false, NAN);
    chart_fit(&axis, 0.1, 1.9, 8, false, NAN);
    assert_memory_equal(&axis, &first, sizeof axis);
    chart_fit(&axis, 0.1, 5, 8, false, NAN); /* the data left it */
    assert_true(axis.per_row > first.per_row);
    first = axis;
    chart_fit(&axis, 0.1, 1, 8, false, NAN); /* much too wide now */
    assert_true(axis.per_row < first.per_row);
    chart_fit(&axis, 0.1, 1, 9, false, NAN); /* another size */
    assert_int_equal(axis.rows, 9);
}

static void nice_numbers_go_up(void **state)
{
    (void)state;
    assert_true(chart_nice(0) == 1 && chart_nice(1) == 1 && chart_nice(3) == 5 && chart_nice(20) == 20 && chart_nice(20.1) == 50);
    assert_true(chart_nice(51e6) == 1e8 && chart_nice(NAN) == 1);
}

/* ---- the pen ---- */

static Canvas canvas;
static ChartAxis unit; /* 0 at the middle of the bottom row, a row a unit */

static ChartPen make_pen(int w, int h, bool ascii)
{
    Err err = ERR_INIT;
    assert_true(canvas_resize(&canvas, w, h, plain, &err));
    canvas.ascii = ascii;
    unit = (ChartAxis){ .rows = h, .per_row = 1, .every = 1 };
    return (ChartPen){ .canvas = &canvas, .area = { 0, 0, w, h }, .axis = &unit, .x0 = 0, .x1 = 2 * w - 1, .style = plain, .letter = '*' };
}

static void assert_screen(const char *expected)
{
    Buf out = BUF_INIT;
    canvas_dump(&canvas, false, &out);
    assert_string_equal(buf_text(&out), expected);
    buf_fini(&out);
}

static void points_are_joined(void **state)
{
    (void)state;
    ChartPen pen = make_pen(4, 2, false);
    chart_to(&pen, 0, 1);
    chart_to(&pen, 7, 0);
    assert_screen("⢄⡀\n ⠈⠑⠢\n");
}

static void a_gap_breaks_the_line(void **state)
{
    (void)state;
    ChartPen pen = make_pen(4, 1, false);
    chart_to(&pen, 0, 0);
    chart_to(&pen, 1, 0);
    chart_to(&pen, 3, NAN);
    chart_to(&pen, 6, 0);
    chart_to(&pen, 7, INFINITY);
    assert_screen("⠤  ⠄\n");
}

static void spikes_are_kept(void **state)
{
    (void)state;
    ChartPen pen = make_pen(4, 3, false);
    chart_range(&pen, 0, 0, 0, 0);
    chart_range(&pen, 4, 0, 2, 0);
    chart_range(&pen, 7, 0, 0, 0);
    assert_screen("  ⡄\n  ⡇\n⠤⠤⠧⠤\n");
}

static void values_outside_stay_at_the_edge(void **state)
{
    (void)state;
    ChartPen pen = make_pen(2, 2, false);
    chart_dot(&pen, -5, 99);
    chart_dot(&pen, 99, -99);
    assert_screen("⠁\n ⢀\n");
    unit.log = true;
    pen = make_pen(2, 2, false);
    unit = (ChartAxis){ .rows = 2, .log = true, .per_row = 1 };
    chart_dot(&pen, 0, 0); /* below every power of ten, but there */
    chart_dot(&pen, 3, NAN);
    assert_screen("\n⡀\n");
}

static void dashes_and_letters(void **state)
{
    (void)state;
    ChartPen pen = make_pen(6, 1, false);
    pen.on = 4;
    pen.off = 2;
    chart_to(&pen, 0, 0);
    chart_to(&pen, 11, 0);
    assert_screen("⠤⠤ ⠤⠤\n");
    pen = make_pen(6, 2, true);
    chart_to(&pen, 0, 0);
    chart_to(&pen, 11, 1);
    assert_screen("   ***\n***\n");
}

static void the_gutter_does_not_change_its_width(void **state)
{
    (void)state;
    static const double tops[] = { 9.99, 10.01, 1e-6, 1e12 };
    for (int i = 0; i < 4; i++) {
        (void)make_pen(8, 9, false);
        ChartAxis axis = { 0 };
        chart_fit(&axis, 0, tops[i], 9, false, NAN);
        chart_gutter(&canvas, (Rect){ 0, 0, 8, 9 }, plain, plain, &axis, false);
        for (int y = 0; y < 9; y++) {
            assert_true(strcmp(canvas.cells[8 * y + 7].text, "┤") == 0 || strcmp(canvas.cells[8 * y + 7].text, "│") == 0);
            assert_string_equal(canvas.cells[8 * y + 6].text, " ");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_nice_and_on_their_rows),
        cmocka_unit_test(every_axis_holds_its_data),
        cmocka_unit_test(odd_limits_are_survived),
        cmocka_unit_test(an_axis_keeps_still),
        cmocka_unit_test(nice_numbers_go_up),
        cmocka_unit_test(points_are_joined),
        cmocka_unit_test(a_gap_breaks_the_line),
        cmocka_unit_test(spikes_are_kept),
        cmocka_unit_test(values_outside_stay_at_the_edge),
        cmocka_unit_test(dashes_and_letters),
        cmocka_unit_test(the_gutter_does_not_change_its_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
