// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ui/canvas.h"

static const Style plain = { INK_DEFAULT, INK_DEFAULT, 0 };

static Canvas *make(int w, int h)
{
    static Canvas canvas;
    Err err = ERR_INIT;
    canvas_fini(&canvas);
    canvas_init(&canvas);
    assert_true(canvas_resize(&canvas, w, h, plain, &err));
    return &canvas;
}

static void assert_screen(const Canvas *canvas, const char *expected)
{
    Buf out = BUF_INIT;
    canvas_dump(canvas, false, &out);
    assert_string_equal(buf_text(&out), expected);
    buf_fini(&out);
}

/* Every wide character has its right half, and no right half stands alone. */
static void assert_whole(const Canvas *canvas)
{
    for (int i = 0; i < canvas->w * canvas->h; i++) {
        const Cell *cell = &canvas->cells[i];
        assert_true(strlen(cell->text) < CELL_BYTES);
        if (cell->width == 2)
            assert_true(i % canvas->w < canvas->w - 1 && cell[1].width == 0);
        if (cell->width == 0)
            assert_true(i % canvas->w > 0 && cell[-1].width == 2);
    }
}

static void text_is_cut_to_width_and_clip(void **state)
{
    (void)state;
    Canvas *c = make(8, 2);
    assert_int_equal(canvas_text(c, 1, 0, 3, plain, "abcdef"), 3);
    assert_int_equal(canvas_text(c, 5, 1, -1, plain, "abcdef"), 3);
    assert_screen(c, " abc\n     abc\n");
    assert_int_equal(canvas_text(c, -2, 0, 6, plain, "uvwxyz"), 6);
    assert_screen(c, "wxyz\n     abc\n");
    canvas_text(c, 0, -1, -1, plain, "above");
    canvas_text(c, 0, 2, -1, plain, "below");
    canvas_text(c, 99, 0, -1, plain, "beside");
    assert_screen(c, "wxyz\n     abc\n");
    canvas_clip(c, (Rect){ 2, 0, 2, 1 });
    canvas_text(c, 0, 0, 8, plain, "12345678");
    canvas_fill(c, (Rect){ -5, -5, 50, 50 }, plain);
    assert_screen(c, "wx\n     abc\n");
    canvas_clip(c, (Rect){ 0, 0, -1, -1 });
    canvas_text_right(c, 0, 0, 8, plain, "12");
    canvas_text_right(c, 0, 1, 4, plain, "123456");
    assert_screen(c, "wx    12\n1234 abc\n");
}

static void long_text_ends_in_an_ellipsis(void **state)
{
    (void)state;
    Canvas *c = make(6, 3);
    assert_int_equal(canvas_text_cut(c, 0, 0, 6, plain, "abcdef"), 6);
    assert_int_equal(canvas_text_cut(c, 0, 1, 5, plain, "abcdef"), 5);
    assert_int_equal(canvas_text_cut(c, 0, 2, 0, plain, "abcdef"), 0);
    assert_screen(c, "abcdef\nabcd…\n\n");
}

static void wide_and_combining_take_their_width(void **state)
{
    (void)state;
    assert_int_equal(canvas_width("abc"), 3);
    assert_int_equal(canvas_width("日本"), 4);
    assert_int_equal(canvas_width("e\xCC\x81x"), 2);
    assert_int_equal(canvas_width("\xCC\x81"), 1); /* a lone mark gets something to stand on */
    Canvas *c = make(6, 1);
    assert_int_equal(canvas_text(c, 0, 0, -1, plain, "日e\xCC\x81x"), 4);
    assert_screen(c, "日e\xCC\x81x\n");
    assert_whole(c);
    for (int i = 0; i < 10; i++) /* more marks than a cell holds are dropped */
        canvas_text(c, 0, 0, -1, plain, "a\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81");
    assert_whole(c);
}

static void half_a_wide_character_is_never_left(void **state)
{
    (void)state;
    Canvas *c = make(6, 1);
    canvas_text(c, 0, 0, -1, plain, "日本語");
    canvas_put(c, 1, 0, plain, 'x'); /* on the right half */
    canvas_put(c, 2, 0, plain, 'y'); /* on the left half */
    assert_screen(c, " xy 語\n");
    assert_whole(c);
    canvas_text(c, 3, 0, -1, plain, "日本"); /* the second does not fit */
    assert_screen(c, " xy日\n");
    assert_whole(c);
    canvas_text(c, -1, 0, 7, plain, "日bc");
    assert_screen(c, " bc日\n");
    canvas_clip(c, (Rect){ 4, 0, 1, 1 });
    canvas_fill(c, (Rect){ 0, 0, 6, 1 }, plain);
    assert_screen(c, " bc\n");
    assert_whole(c);
}

static void hostile_bytes_become_visible(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *shown;
    } rows[] = {
        { "a\x1b[2Jb", "a␛[2Jb\n" },         { "a\nb\tc\r", "a␊b␉c␍\n" },       { "\x7f", "␡\n" },
        { "\xc2\x9b" "31m", "�31m\n" },       { "\xe2\x80\xae" "abc", "�abc\n" }, { "\xe2\x81\xa6x", "�x\n" },
        { "\xff\xfe", "��\n" },               { "\xc0\xaf", "��\n" },             { "\xed\xa0\x80", "���\n" },
        { "\xe2\x82", "��\n" },               { "\xf4\x90\x80\x80", "����\n" },   { "a\xe2\x80\x8d" "b", "ab\n" },
        { "\xf3\xa0\x80\xa1", "�\n" },        { "\xef\xbb\xbfx", "�x\n" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Canvas *c = make(8, 1);
        int used = canvas_text(c, 0, 0, -1, plain, rows[i].bytes);
        assert_int_equal(used, canvas_width(rows[i].bytes));
        assert_screen(c, rows[i].shown);
        assert_whole(c);
    }
}

static void ascii_canvas_holds_only_ascii(void **state)
{
    (void)state;
    Canvas *c = make(20, 4);
    c->ascii = true;
    canvas_frame(c, (Rect){ 0, 0, 20, 3 }, plain, plain, "löss", plain, "a · b");
    canvas_text(c, 1, 1, -1, plain, "日本 e\xCC\x81 × \x1b");
    canvas_put(c, 15, 1, plain, 0x2588);
    canvas_put(c, 16, 1, plain, 0x65E5);
    assert_screen(c, "+- l?ss --- a . b -+\n|???? e x ?    #?? |\n+------------------+\n\n");
    for (int i = 0; i < 80; i++)
        assert_true((unsigned char)c->cells[i].text[0] < 0x7f);
}

static void frames_let_the_state_give_way(void **state)
{
    (void)state;
    Canvas *c = make(30, 3);
    canvas_frame(c, (Rect){ 0, 0, 30, 3 }, plain, plain, "loss", plain, "smooth 0.9");
    assert_screen(c, "╭─ loss ──────── smooth 0.9 ─╮\n│                            │\n╰────────────────────────────╯\n");
    c = make(20, 2);
    canvas_frame(c, (Rect){ 0, 0, 20, 2 }, plain, plain, "loss", plain, "smooth 0.9");
    assert_screen(c, "╭─ loss ─ smooth… ─╮\n╰──────────────────╯\n");
    c = make(10, 2);
    canvas_frame(c, (Rect){ 0, 0, 10, 2 }, plain, plain, "activations", plain, "x");
    assert_screen(c, "╭─ act… ─╮\n╰────────╯\n");
    c = make(5, 2);
    canvas_frame(c, (Rect){ 0, 0, 5, 2 }, plain, plain, "loss", plain, "x");
    assert_screen(c, "╭───╮\n╰───╯\n");
    canvas_frame(c, (Rect){ 0, 0, 1, 1 }, plain, plain, "loss", plain, "x");
    canvas_frame(c, (Rect){ -3, -1, 40, 9 }, plain, plain, "loss", plain, "x");
    assert_whole(c);
}

static void dots_add_up(void **state)
{
    (void)state;
    Canvas *c = make(2, 1);
    canvas_put(c, 0, 0, plain, 0x250A);
    canvas_dots(c, 0, 0, plain, 0x01);
    canvas_dots(c, 0, 0, plain, 0x80);
    canvas_dots(c, 9, 9, plain, 0x80);
    assert_screen(c, "⢁\n");
}

static void resize_keeps_the_old_when_memory_is_out(void **state)
{
    (void)state;
    Canvas *c = make(3, 1);
    Err err = ERR_INIT;
    canvas_text(c, 0, 0, -1, plain, "abc");
    mem_fail_after(0);
    bool ok = canvas_resize(c, 100, 100, plain, &err);
    mem_fail_after(-1);
    assert_false(ok);
    assert_int_equal(err.code, ERR_MEM);
    assert_int_equal(c->w, 3);
    assert_screen(c, "abc\n");
    assert_true(canvas_resize(c, 0, 0, plain, &err));
    canvas_text(c, 0, 0, -1, plain, "abc");
    canvas_fill(c, (Rect){ 0, 0, 9, 9 }, plain);
    assert_screen(c, "");
    assert_true(canvas_resize(c, -4, 7, plain, &err));
    assert_int_equal(c->w, 0);
}

static void styles_are_dumped_as_letters(void **state)
{
    (void)state;
    Canvas *c = make(4, 1);
    canvas_text(c, 1, 0, -1, (Style){ 4, INK_RGB | 0x102030, ATTR_BOLD | ATTR_REVERSE }, "x");
    Buf out = BUF_INIT;
    canvas_dump(c, true, &out);
    assert_string_equal(buf_text(&out), " x\n--\nabaa\n--\na fg default bg default\nb fg 4 bg #102030 bold reverse\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cut_to_width_and_clip),
        cmocka_unit_test(long_text_ends_in_an_ellipsis),
        cmocka_unit_test(wide_and_combining_take_their_width),
        cmocka_unit_test(half_a_wide_character_is_never_left),
        cmocka_unit_test(hostile_bytes_become_visible),
        cmocka_unit_test(ascii_canvas_holds_only_ascii),
        cmocka_unit_test(frames_let_the_state_give_way),
        cmocka_unit_test(dots_add_up),
        cmocka_unit_test(resize_keeps_the_old_when_memory_is_out),
        cmocka_unit_test(styles_are_dumped_as_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
