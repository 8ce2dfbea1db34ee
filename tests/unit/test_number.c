// SPDX-License-Identifier: MIT
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ui/number.h"

static char out[NUMBER_ROOM];

static void whole_numbers_have_separators(void **state)
{
    (void)state;
    assert_string_equal(number_group(out, 0), "0");
    assert_string_equal(number_group(out, 999), "999");
    assert_string_equal(number_group(out, 1260), "1,260");
    assert_string_equal(number_group(out, -1234567), "-1,234,567");
    assert_string_equal(number_group(out, INT64_MIN), "-9,223,372,036,854,775,808");
    assert_string_equal(number_count(out, 999999), "999,999");
    assert_string_equal(number_count(out, 1000000), "1.00 M");
    assert_string_equal(number_count(out, 25600000), "25.6 M");
    assert_string_equal(number_count(out, 999600000), "1.00 G");
    assert_string_equal(number_count(out, INT64_MAX), "9.22 E");
}

static void values_are_always_six_columns(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        { 0, "0.0000" },       { 0.0912, "0.0912" },   { 2.30258, "2.3026" },  { 9.99996, "10.000" },  { 12.3456, "12.346" },
        { 99.9996, "100.00" }, { 999.996, "1000.0" },  { 12345.6, " 12346" },  { 99999.6, "1.00e5" },  { 1.5e7, "1.50e7" },
        { 1e-4, "1.0e-4" },    { 1.26e-9, "1.3e-9" },  { 1e-12, " 1e-12" },    { 1e300, " 1e300" },   { NAN, "   NaN" },
        { INFINITY, "  +inf" }, { -INFINITY, "  -inf" }, { -0.0912, "-0.091" }, { -12.3456, "-12.35" }, { -5e-5, " -5e-5" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(number_value(out, rows[i].value), rows[i].text);
        assert_int_equal(strlen(out), 6);
    }
}

static void shares_are_never_rounded_to_all_or_nothing(void **state)
{
    (void)state;
    assert_string_equal(number_percent(out, 0.984), " 98.4 %");
    assert_string_equal(number_percent(out, 1), "100.0 %");
    assert_string_equal(number_percent(out, 0.99999), " 99.9 %");
    assert_string_equal(number_percent(out, 0.00001), "  0.1 %");
    assert_string_equal(number_percent(out, 0), "  0.0 %");
    assert_string_equal(number_percent(out, NAN), "    - %");
}

static void times_rates_and_bytes(void **state)
{
    (void)state;
    assert_string_equal(number_time(out, 7), "0:07");
    assert_string_equal(number_time(out, 754), "12:34");
    assert_string_equal(number_time(out, 3723), "1:02:03");
    assert_string_equal(number_time(out, 86400 * 3 + 3600 * 4), "3 d 4 h");
    assert_string_equal(number_time(out, -1), "-:--");
    assert_string_equal(number_time(out, NAN), "-:--");
    assert_string_equal(number_time(out, INFINITY), "-:--");
    assert_string_equal(number_rate(out, 41236), "41,236/s");
    assert_string_equal(number_rate(out, 3.24), "3.2/s");
    assert_string_equal(number_rate(out, 12345678), "12.3 M/s");
    assert_string_equal(number_rate(out, 0), "-");
    assert_string_equal(number_rate(out, INFINITY), "-");
    assert_string_equal(number_bytes(out, 812), "812 B");
    assert_string_equal(number_bytes(out, 1234), "1.23 kB");
    assert_string_equal(number_bytes(out, 256000000), "256 MB");
    assert_string_equal(number_bytes(out, UINT64_MAX), "18.4 EB");
}

static void short_numbers_are_exact_to_three_digits(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = { { 0.001, "1e-3" }, { 0.00025, "2.5e-4" }, { 0.01, "0.01" }, { 0.1, "0.1" },    { 1, "1" },       { 2.5, "2.5" },
                 { 123, "123" },    { 0, "0" },            { -0.05, "-0.05" }, { 1e6, "1e6" }, { 0.0123, "0.0123" }, { NAN, "NaN" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(number_short(out, rows[i].value), rows[i].text);
}

static void settings_look_as_lua_prints_them(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = { { 0.005, "0.005" }, { 0.0002, "0.0002" }, { 1e-5, "1e-05" }, { 0.1, "0.1" }, { 1, "1" }, { 0, "0" }, { 0.00012345, "0.000123" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(number_plain(out, rows[i].value), rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_have_separators),
        cmocka_unit_test(values_are_always_six_columns),
        cmocka_unit_test(shares_are_never_rounded_to_all_or_nothing),
        cmocka_unit_test(times_rates_and_bytes),
        cmocka_unit_test(short_numbers_are_exact_to_three_digits),
        cmocka_unit_test(settings_look_as_lua_prints_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
