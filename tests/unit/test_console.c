// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <pthread.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ui/console.h"
#include "ui/utf8.h"

static Console *fresh(void)
{
    Err err;
    Console *console = console_new(&err);
    assert_non_null(console);
    return console;
}

/* The line's text as "kind:text", or "-" when it is gone. */
static const char *line(Console *console, uint64_t i)
{
    static char out[8][300];
    static int turn;
    char *to = out[turn++ % 8];
    Buf buf = BUF_INIT;
    LineKind kind;
    if (console_line(console, i, &buf, &kind))
        snprintf(to, sizeof out[0], "%d:%s", (int)kind, buf_text(&buf));
    else
        strcpy(to, "-");
    buf_fini(&buf);
    return to;
}

static uint64_t end(Console *console)
{
    uint64_t first, last;
    console_range(console, &first, &last);
    return last;
}

static void test_lines(void **state)
{
    (void)state;
    Console *console = fresh();
    uint64_t before = console_version(console);
    console_puts(console, LINE_OUT, "one\ntwo");
    console_puts(console, LINE_OUT, " and a half");
    assert_true(console_version(console) > before);
    assert_int_equal(end(console), 2);
    assert_string_equal(line(console, 0), "0:one");
    assert_string_equal(line(console, 1), "0:two and a half");
    console_puts(console, LINE_ERROR, "bad\n"); /* another kind closes the unfinished line */
    console_puts(console, LINE_OUT, "three\n\n");
    assert_string_equal(line(console, 2), "3:bad");
    assert_string_equal(line(console, 3), "0:three");
    assert_string_equal(line(console, 4), "0:");
    assert_int_equal(end(console), 5);
    assert_string_equal(line(console, 5), "-");
    console_puts(console, LINE_OUT, "");
    assert_int_equal(end(console), 5);
    console_free(console);
    console_free(NULL);
}

static void test_hostile(void **state)
{
    (void)state;
    Console *console = fresh();
    console_write(console, LINE_OUT, "a\x1b[31mb\0c\x7f\n", 11);
    console_puts(console, LINE_OUT, "x\xff\xc0\xafy \xed\xa0\x80 \xf5\n");
    console_puts(console, LINE_OUT, "\xe2\x80\xae" "abc \xc2\x9b" "1m\n");
    console_puts(console, LINE_OUT, "a\tb\n\tc\n1234567\t|\n12345678\t|\nüü\t|\n");
    console_puts(console, LINE_OUT, " 10 %\r 20 %\r100 %\r\ndone\r\n");
    assert_string_equal(line(console, 0), "0:a^[[31mb^@c^?");
    assert_string_equal(line(console, 1), "0:x<FF><C0><AF>y <ED><A0><80> <F5>");
    assert_string_equal(line(console, 2), "0:<202E>abc <009B>1m");
    assert_string_equal(line(console, 3), "0:a       b");
    assert_string_equal(line(console, 4), "0:        c");
    assert_string_equal(line(console, 5), "0:1234567 |");
    assert_string_equal(line(console, 6), "0:12345678        |");
    assert_string_equal(line(console, 7), "0:üü      |");
    assert_string_equal(line(console, 8), "0:100 %");
    assert_string_equal(line(console, 9), "0:done");
    console_free(console);
}

static void test_split_characters(void **state)
{
    (void)state;
    const char *text = "é日𝄞!\xe2\x80\n\xf0\x9f";
    for (size_t step = 1; step < 5; step++) {
        Console *console = fresh();
        for (size_t i = 0; i < strlen(text); i += step)
            console_write(console, LINE_OUT, text + i, strlen(text) - i < step ? strlen(text) - i : step);
        console_puts(console, LINE_NOTE, "n");
        assert_string_equal(line(console, 0), "0:é日𝄞!<E2><80>");
        assert_string_equal(line(console, 1), "0:<F0><9F>");
        assert_string_equal(line(console, 2), "2:n");
        console_free(console);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    Console *console = fresh();
    char text[64];
    for (int i = 0; i < CONSOLE_LINES + 500; i++) {
        snprintf(text, sizeof text, "line %d\n", i);
        console_puts(console, LINE_OUT, text);
    }
    uint64_t first, last;
    console_range(console, &first, &last);
    assert_int_equal(last, CONSOLE_LINES + 500);
    assert_int_equal(first, 500);
    assert_string_equal(line(console, 499), "-");
    assert_string_equal(line(console, 500), "0:line 500");

    static char block[100000];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 400; i++) /* 40 MB without a newline */
        console_write(console, LINE_OUT, block, sizeof block);
    console_range(console, &first, &last);
    Buf buf = BUF_INIT;
    LineKind kind;
    size_t bytes = 0;
    for (uint64_t i = first; i < last; i++) {
        buf_reset(&buf);
        assert_true(console_line(console, i, &buf, &kind));
        assert_true(buf.size <= CONSOLE_LINE_MOST);
        bytes += buf.size;
    }
    assert_true(bytes <= CONSOLE_BYTES);
    assert_true(bytes > CONSOLE_BYTES / 2);
    buf_fini(&buf);
    console_free(console);
}

static void test_no_memory(void **state)
{
    (void)state;
    Err err;
    mem_fail_after(0);
    assert_null(console_new(&err));
    assert_int_equal(err.code, ERR_MEM);
    mem_fail_after(-1);
    size_t before = mem_bytes();
    for (long n = 1; n < 6; n++) {
        mem_fail_after(n);
        Console *console = console_new(&err);
        for (int i = 0; i < 8; i++)
            console_puts(console, LINE_OUT, "a line that is longer than the first sixty-four bytes of room, and then some more of it\n");
        assert_int_equal(end(console), 8);
        mem_fail_after(-1);
        console_puts(console, LINE_OUT, "again\n");
        assert_string_equal(line(console, 8), "0:again");
        console_free(console);
    }
    assert_int_equal(mem_bytes(), before);
}

static int woken;
static void wake(void)
{
    __atomic_fetch_add(&woken, 1, __ATOMIC_RELAXED);
}

static void *writer(void *ctx)
{
    for (int i = 0; i < 2000; i++)
        console_puts(ctx, i % 2 ? LINE_OUT : LINE_NOTE, "from a thread\n");
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    Console *console = fresh();
    console_set_waker(console, wake);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, writer, console), 0);
    uint64_t seen = 0;
    Buf buf = BUF_INIT;
    LineKind kind;
    while (seen < 6000) {
        uint64_t last = end(console);
        for (; seen < last; seen++) {
            buf_reset(&buf);
            if (console_line(console, seen, &buf, &kind))
                assert_string_equal(buf_text(&buf), "from a thread");
        }
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(end(console), 6000);
    assert_int_equal(woken, 6000);
    buf_fini(&buf);
    console_free(console);
}

static void test_utf8(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code += code < 0x3000 ? 1 : 97) {
        char bytes[4];
        uint32_t back = 0;
        if (code >= 0xd800 && code < 0xe000)
            continue;
        int n = utf8_encode(code, bytes);
        for (int i = 0; i < n; i++)
            assert_int_equal(utf8_decode(bytes, (size_t)i, &back), 0);
        assert_int_equal(utf8_decode(bytes, (size_t)n, &back), n);
        assert_int_equal(back, code);
    }
    assert_int_equal(utf8_columns('a'), 1);
    assert_int_equal(utf8_columns(0xe9), 1);
    assert_int_equal(utf8_columns(0x301), 0);
    assert_int_equal(utf8_columns(0x65e5), 2);
    assert_int_equal(utf8_columns(0x2588), 1);
    assert_int_equal(utf8_columns(0x2847), 1);
    assert_int_equal(utf8_columns(0x1f600), 2);
    const char *text = "aé日";
    assert_int_equal(utf8_before(text, 6), 3);
    assert_int_equal(utf8_before(text, 3), 2);
    assert_int_equal(utf8_before(text, 1), 1);
    assert_int_equal(utf8_before(text, 0), 0);
    assert_int_equal(utf8_after(text, 6, 1), 2);
    assert_int_equal(utf8_after(text, 6, 3), 3);
    assert_int_equal(utf8_after(text, 6, 6), 0);
    assert_int_equal(utf8_before("\xa9\xa9", 2), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),  cmocka_unit_test(test_hostile),   cmocka_unit_test(test_split_characters),
        cmocka_unit_test(test_bounds), cmocka_unit_test(test_no_memory), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
