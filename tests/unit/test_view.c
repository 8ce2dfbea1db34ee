// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ui/view.h"

static Canvas canvas;

/* The console above an empty line of input, as text. */
static const char *seen(const View *view, const Console *console, int w, int h)
{
    static char text[8192];
    Theme theme;
    Err err = ERR_INIT;
    Edit edit = { .sign = "> ", .text = "" };
    Buf out = BUF_INIT;
    int x, y;
    theme_default(&theme, DEPTH_NONE);
    assert_true(canvas_resize(&canvas, w, h, theme.base, &err));
    view_draw(view, console, &edit, &canvas, (Rect){ 0, 0, w, h }, &theme, &x, &y);
    canvas_dump(&canvas, false, &out);
    snprintf(text, sizeof text, "%s", buf_text(&out));
    buf_fini(&out);
    return text;
}

/* However often one scrolls back, the oldest line stays at the top of a full pane; and forward ends at the newest. */
static void scrolling_ends_at_the_first_page(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Console *console = console_new(&err);
    assert_non_null(console);
    for (int i = 0; i < 100; i++) {
        char line[80];
        snprintf(line, sizeof line, "line %d%s\n", i, i == 1 ? " and more words than one row of the pane can hold" : "");
        console_write(console, LINE_OUT, line, strlen(line));
    }
    for (int h = 2; h < 40; h += 5) {
        View view;
        view_init(&view);
        for (int k = 0; k < 200; k++)
            view_scroll(&view, console, -(h / 2 + 1), 40, h - 1);
        const char *text = seen(&view, console, 40, h);
        assert_memory_equal(text, "line 0", 6);
        int rows = 0;
        for (const char *s = text; *s; s++)
            rows += *s == '\n' && s[1] != '\n' && s[1] != 0;
        assert_true(rows + 1 >= h - 1); /* full to its end */
        for (int k = 0; k < 200; k++)
            view_scroll(&view, console, 3, 40, h - 1);
        assert_true(view.bottom == VIEW_FOLLOW);
    }
    console_free(console);
}

static void a_short_console_does_not_scroll(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Console *console = console_new(&err);
    assert_non_null(console);
    View view;
    view_init(&view);
    view_scroll(&view, console, -5, 40, 10);
    assert_true(view.bottom == VIEW_FOLLOW);
    console_write(console, LINE_OUT, "one\ntwo\n", 8);
    view_scroll(&view, console, -5, 40, 10);
    assert_true(view.bottom == VIEW_FOLLOW);
    assert_non_null(strstr(seen(&view, console, 40, 10), "one\ntwo\n"));
    console_free(console);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scrolling_ends_at_the_first_page),
        cmocka_unit_test(a_short_console_does_not_scroll),
    };
    canvas_init(&canvas);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    canvas_fini(&canvas);
    return failed;
}
