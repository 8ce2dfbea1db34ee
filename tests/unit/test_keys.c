// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "ui/keys.h"

static int code_of(const char *bytes, size_t size)
{
    int code = -1;
    size_t n = strlen(bytes);
    for (size_t i = 0; i < size; i++) { /* no shorter piece is whole */
        assert_int_equal(keys_unit(bytes, i, false, &code), 0);
    }
    assert_int_equal(keys_unit(bytes, n, false, &code), size);
    return code;
}

static void test_units(void **state)
{
    (void)state;
    assert_int_equal(code_of("abc", 1), 'a');
    assert_int_equal(code_of("\x03z", 1), 3);
    assert_int_equal(code_of("é", 2), 0xe9);
    assert_int_equal(code_of("日x", 3), 0x65e5);
    assert_int_equal(code_of("\033[A", 3), KEY_UP);
    assert_int_equal(code_of("\033OAx", 3), KEY_UP);
    assert_int_equal(code_of("\033[5~[", 4), KEY_PAGE_UP);
    assert_int_equal(code_of("\033[1;5C", 6), KEY_CTRL | KEY_RIGHT);
    assert_int_equal(code_of("\033[3;3~", 6), KEY_ALT | KEY_DELETE);
    assert_int_equal(code_of("\033[1;2P", 6), KEY_F1);
    assert_int_equal(code_of("\033[[A", 4), KEY_F1);
    assert_int_equal(code_of("\033x", 2), KEY_ALT | 'x');
    assert_int_equal(code_of("\033é", 3), KEY_ALT | 0xe9);
    assert_int_equal(code_of("\033\r", 2), KEY_ALT | KEY_ENTER);
    assert_int_equal(code_of("\033[200~text", 6), KEY_PASTE);
    assert_int_equal(code_of("\033[?1;2c", 7), KEY_UNKNOWN);
    assert_int_equal(code_of("\033[<0;10;20M", 11), KEY_UNKNOWN);
    assert_int_equal(code_of("\033]11;rgb:0000/0000/0000\033\\x", 25), KEY_UNKNOWN);
    assert_int_equal(code_of("\033]11;x\a", 7), KEY_UNKNOWN);
    assert_int_equal(code_of("\xffz", 1), KEY_UNKNOWN);
}

static void test_late(void **state)
{
    (void)state;
    int code;
    assert_int_equal(keys_unit("\033", 1, true, &code), 1);
    assert_int_equal(code, KEY_ESCAPE);
    assert_int_equal(keys_unit("\033[", 2, true, &code), 2);
    assert_int_equal(code, KEY_ESCAPE);
    assert_int_equal(keys_unit("\033\033[A", 4, false, &code), 1);
    assert_int_equal(code, KEY_ESCAPE);
    assert_int_equal(keys_unit("\xe6\x97", 2, true, &code), 1);
    assert_int_equal(code, KEY_UNKNOWN);
    assert_int_equal(keys_unit("", 0, true, &code), 0);
    char endless[400]; /* a report that never ends is given up, not kept for ever */
    memset(endless, '1', sizeof endless);
    memcpy(endless, "\033[", 2);
    assert_true(keys_unit(endless, sizeof endless, false, &code) > 0);
    memcpy(endless, "\033]", 2);
    assert_true(keys_unit(endless, sizeof endless, false, &code) > 0);
}

/* Whatever comes, every byte is used up. */
static void test_any_bytes(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 20000; round++) {
        char bytes[12];
        size_t n = 1 + (size_t)(round % 12), i = 0;
        for (size_t k = 0; k < n; k++) {
            seed = seed * 1664525 + 1013904223;
            bytes[k] = seed >> 28 < 6 ? "\033[O]~;"[(seed >> 20) % 6] : (char)(seed >> 16);
        }
        while (i < n) {
            int code;
            size_t size = keys_unit(bytes + i, n - i, true, &code);
            assert_true(size > 0 && size <= n - i);
            i += size;
        }
    }
}

static void test_table(void **state)
{
    (void)state;
    for (int i = 1; i < ACT_COUNT; i++) {
        const KeyRow *row = keys_row((Action)i);
        assert_non_null(row->command);
        assert_true(strlen(row->help) > 5);
        assert_null(strchr("e()", row->letter)); /* readline's own behind Ctrl-X */
        assert_int_equal(keys_letter(row->letter), i); /* no letter twice */
        if (row->key) {
            assert_int_equal(keys_direct(row->key), i);
            assert_non_null(keys_sequence(row->key, 0));
        }
        for (int k = 1; k < i; k++)
            assert_string_not_equal(row->command, keys_row((Action)k)->command);
    }
    assert_int_equal(keys_letter('e'), ACT_NONE);
    assert_int_equal(keys_direct(KEY_HOME), ACT_NONE);
    assert_string_equal(keys_sequence(KEY_F1, 2), "\033[[A");
    assert_null(keys_sequence(KEY_F1, 3));
    assert_string_equal(keys_sequence(KEY_ALT | 'h', 0), "\033h");
}

static void test_names(void **state)
{
    (void)state;
    char text[24];
    assert_string_equal(keys_name(KEYS_LEADER, text), "Ctrl-X");
    assert_string_equal(keys_name('q', text), "q");
    assert_string_equal(keys_name(KEY_F10, text), "F10");
    assert_string_equal(keys_name(KEY_PAGE_UP, text), "PageUp");
    assert_string_equal(keys_name(KEY_ALT | '?', text), "Alt-?");
    assert_string_equal(keys_name(KEY_CTRL | KEY_LEFT, text), "Ctrl-Left");
    assert_string_equal(keys_name(KEY_ENTER, text), "Enter");
    assert_string_equal(keys_name(KEY_BACKTAB, text), "Shift-Tab");
}

/* A word of a row of the README's table: a letter behind the leader, or a key by its name. */
static Action named_action(const char *word)
{
    char text[24];
    if (strlen(word) == 1)
        return keys_letter(word[0]);
    for (int i = 1; i < ACT_COUNT; i++)
        if (keys_row((Action)i)->key && !strcmp(keys_name(keys_row((Action)i)->key, text), word))
            return (Action)i;
    return ACT_NONE;
}

static void test_readme(void **state)
{
    (void)state;
    char path[1024], cell[128];
    Buf text = BUF_INIT;
    bool told[ACT_COUNT] = { false };
    int rows = 0;
    assert_true(file_resource(path, sizeof path, "README.md"));
    assert_true(file_read(path, &text, 1 << 20, NULL));
    for (const char *row = buf_text(&text); (row = strstr(row, "\n| Ctrl-X ")); rows++) {
        row += strlen("\n| Ctrl-X ");
        snprintf(cell, sizeof cell, "%.*s", (int)strcspn(row, "|"), row);
        for (char *rest = cell, *word; (word = strtok_r(rest, " ,/", &rest));) {
            if (!strcmp(word, "Ctrl-D")) /* readline's own */
                continue;
            if (!named_action(word))
                fail_msg("the README says that there is a key %s", word);
            told[named_action(word)] = true;
        }
    }
    assert_true(rows > 5);
    for (int i = 1; i < ACT_COUNT; i++)
        if (*keys_row((Action)i)->label && !told[i])
            fail_msg("the README leaves out %c, %s", keys_row((Action)i)->letter, keys_row((Action)i)->help);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units), cmocka_unit_test(test_late),  cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_table), cmocka_unit_test(test_names), cmocka_unit_test(test_readme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
