// SPDX-License-Identifier: MIT
/* Errors as values: what a message becomes, whatever stands in it. */
#include "check.h"

#include "base/err.h"
#include "base/utf8.h"

static const char *said(const char *given)
{
    static Err err;
    assert_false(err_set(&err, ERR_DATA, "got \"%s\"", given));
    return err.text;
}

static void test_set(void **state)
{
    Err err = ERR_INIT;
    (void)state;
    assert_false(err_set(&err, ERR_SHAPE, "%d by %d", 2, 3));
    assert_int_equal(err.code, ERR_SHAPE);
    assert_string_equal(err.text, "2 by 3");
    assert_string_equal(err_tag(err.code), "shape");
    err_clear(&err);
    assert_int_equal(err.code, ERR_OK);
    assert_string_equal(err.text, "");
    assert_false(err_set(NULL, ERR_ARG, "nobody listens"));
    assert_false(err_wrap(NULL, "nobody"));
    err_clear(NULL);
    assert_string_equal(err_tag((ErrCode)1000), "unknown");
}

/* What would steer a terminal, or is no UTF-8, is told as '?'; letters of any script stay. */
static void test_printable(void **state)
{
    static const struct {
        const char *given, *told;
    } rows[] = {
        { "plain", "got \"plain\"" },
        { "gr\xc3\xbcn \xe6\x85\xa2 \xf0\x9f\x98\x80", "got \"gr\xc3\xbcn \xe6\x85\xa2 \xf0\x9f\x98\x80\"" },
        { "\x1b[2J\x07", "got \"?[2J?\"" },
        { "\x7f\xc2\x9b", "got \"??\"" }, /* delete; an escape of one character beyond ASCII */
        { "\xff\xfe", "got \"??\"" },
        { "\xe6\x85", "got \"??\"" }, /* a character cut off */
        { "\xc0\xaf", "got \"??\"" }, /* an overlong form */
        { "a\xe2\x80\xae" "b", "got \"a?b\"" }, /* what follows would be read from right to left */
        { "a\nb\tc", "got \"a\nb\tc\"" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(said(rows[i].given), rows[i].told);
}

/* A message that is too long ends with a whole character, at every place where it may be cut. */
static void test_cut(void **state)
{
    char given[700];
    size_t bad;
    (void)state;
    for (size_t lead = 0; lead < 6; lead++) {
        memset(given, 'x', lead);
        given[lead] = '\0';
        while (strlen(given) + 4 < sizeof given)
            strcat(given, "\xe6\x85\xa2");
        const char *text = said(given);
        assert_true(utf8_check(text, strlen(text), &bad));
        assert_true(strlen(text) > 490 && strlen(text) < sizeof((Err *)0)->text);
        assert_null(strchr(text, '?'));
    }
}

static void test_wrap(void **state)
{
    Err err = ERR_INIT;
    char where[600];
    size_t bad;
    (void)state;
    err_set(&err, ERR_DATA, "a row is short");
    assert_false(err_wrap(&err, "%s:%d", "t.csv", 3));
    assert_string_equal(err.text, "t.csv:3: a row is short");
    assert_int_equal(err.code, ERR_DATA);
    assert_false(err_wrap(&err, "%s", "bad\x1bname"));
    assert_string_equal(err.text, "bad?name: t.csv:3: a row is short");
    err_set(&err, ERR_DATA, "it is empty");
    assert_false(err_name(&err, "a.csv"));
    assert_string_equal(err.text, "a.csv: it is empty");
    assert_false(err_name(&err, "a.csv")); /* it begins with it */
    assert_string_equal(err.text, "a.csv: it is empty");
    assert_false(err_name(&err, "a")); /* another name, with which the first one begins */
    assert_string_equal(err.text, "a: a.csv: it is empty");
    memset(where, 'w', sizeof where - 1);
    where[sizeof where - 1] = '\0';
    for (size_t n = 480; n < sizeof where; n++) { /* whatever room is left, the text ends within it */
        err_set(&err, ERR_DATA, "\xe6\x85\xa2\xe6\x85\xa2\xe6\x85\xa2");
        assert_false(err_wrap(&err, "%.*s", (int)n, where));
        assert_true(strlen(err.text) < sizeof err.text && utf8_check(err.text, strlen(err.text), &bad));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_printable),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
