// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <locale.h>

#include <cmocka.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "ui/paint.h"
#include "vt.h"

static Caps caps_of(const char *term)
{
    Caps caps;
    Err err = ERR_INIT;
    setenv("TERM", term, 1);
    if (!caps_read(&caps, &err))
        printf("# %s\n", err.text);
    return caps;
}

static const Style none = { INK_DEFAULT, INK_DEFAULT, 0 };
static Rng rng;

static Ink random_ink(int depth)
{
    if (depth == 0 || rng_below(&rng, 4) == 0)
        return INK_DEFAULT;
    return depth == 24 ? INK_RGB | (Ink)rng_below(&rng, 1 << 24) : (Ink)rng_below(&rng, (uint64_t)depth);
}

/* Change a few cells, runs and rows at random: plain, wide, combining, blank. */
static void scribble(Canvas *canvas, const Caps *caps, int depth)
{
    static const char *const texts[] = { "x", "é", "日", "⣿", "a\xcc\x81", " ", "    ", "hello world", "▀▄", "日本語", "─" };
    for (int i = 0; i < 30; i++) {
        Style style = { random_ink(depth), random_ink(depth), (uint8_t)rng_below(&rng, 16) };
        if (!*caps->text[CAP_dim])
            style.attrs &= (uint8_t)~ATTR_DIM;
        int x = (int)rng_below(&rng, (uint64_t)canvas->w), y = (int)rng_below(&rng, (uint64_t)canvas->h);
        if (rng_below(&rng, 5) == 0)
            canvas_fill(canvas, (Rect){ x, y, (int)rng_below(&rng, 40), 1 + (int)rng_below(&rng, 3) }, style);
        else
            canvas_text(canvas, x, y, -1, style, texts[rng_below(&rng, sizeof texts / sizeof *texts)]);
    }
}

static void check_term(const char *term, int depth)
{
    static const int sizes[][2] = { { 80, 24 }, { 7, 3 }, { 1, 1 }, { 120, 40 } };
    Caps caps = caps_of(term);
    assert_true(caps.ansi);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        Painter painter;
        Canvas canvas;
        Vt vt;
        Buf out = BUF_INIT;
        Err err;
        painter_init(&painter, &caps);
        painter.sync = s % 2;
        canvas_init(&canvas);
        assert_true(canvas_resize(&canvas, sizes[s][0], sizes[s][1], none, &err));
        vt_init(&vt, canvas.w, canvas.h);
        for (int frame = 0; frame < 60; frame++) {
            int x = frame % 9 == 8 ? -1 : frame % canvas.w, y = frame % canvas.h;
            scribble(&canvas, &caps, depth);
            if (frame % 20 == 19)
                painter_forget(&painter);
            buf_reset(&out);
            assert_true(painter_frame(&painter, &out, &canvas, x, y, &err));
            vt_feed(&vt, out.data, out.size);
            assert_true(vt_shows(&vt, &canvas));
            assert_int_equal(vt.unknown, 0);
            assert_int_equal(vt.scrolled, 0);
            assert_int_equal(vt.cursor, x >= 0 || !*caps.text[CAP_civis]);
            assert_false(vt.sync);
            if (x >= 0) {
                assert_int_equal(vt.x, x);
                assert_int_equal(vt.y, y);
            }
            buf_reset(&out); /* the same again: nothing */
            assert_true(painter_frame(&painter, &out, &canvas, x, y, &err));
            assert_int_equal(out.size, 0);
        }
        painter_fini(&painter);
        canvas_fini(&canvas);
        vt_fini(&vt);
        buf_fini(&out);
    }
}

static void test_differences(void **state)
{
    (void)state;
    rng_init(&rng, 1, RNG_TEST, 0);
    check_term("xterm-256color", 256);
    check_term("xterm-256color", 24);
    check_term("tmux-256color", 256);
    check_term("screen-256color", 24);
    check_term("vt100", 0);
}

static void test_terminals(void **state)
{
    (void)state;
    Caps caps;
    Err err = ERR_INIT;
    setenv("TERM", "xterm-no-such-terminal", 1);
    assert_true(caps_read(&caps, &err));
    assert_true(caps.unknown);
    assert_string_equal(caps.name, "xterm-256color");
    assert_int_equal(caps.colors, 256);
    setenv("TERM", "dumb", 1);
    assert_false(caps_read(&caps, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, "dumb"));
    caps = caps_of("vt100");
    assert_int_equal(caps.colors, 0);
    assert_null(strchr(caps.text[CAP_cup], '$')); /* no padding */
    unsetenv("TERM");
    assert_true(caps_read(&caps, &err));
    assert_string_equal(caps.name, "vt100");
}

/* Eight colours: bright foregrounds are bold. */
static void test_eight_colours(void **state)
{
    (void)state;
    Caps caps = caps_of("linux");
    Painter painter;
    Canvas canvas;
    Buf out = BUF_INIT;
    Err err;
    Vt vt;
    assert_int_equal(caps.colors, 8);
    painter_init(&painter, &caps);
    canvas_init(&canvas);
    vt_init(&vt, 10, 2);
    assert_true(canvas_resize(&canvas, 10, 2, none, &err));
    canvas_text(&canvas, 0, 0, -1, (Style){ 9, 4, 0 }, "ab");
    assert_true(painter_frame(&painter, &out, &canvas, 0, 0, &err));
    vt_feed(&vt, out.data, out.size);
    assert_int_equal(vt.cells.cells[0].style.fg, 1);
    assert_int_equal(vt.cells.cells[0].style.bg, 4);
    assert_int_equal(vt.cells.cells[0].style.attrs, ATTR_BOLD);
    painter_fini(&painter);
    canvas_fini(&canvas);
    vt_fini(&vt);
    buf_fini(&out);
}

static void test_no_memory(void **state)
{
    (void)state;
    Caps caps = caps_of("xterm-256color");
    Painter painter;
    Canvas canvas;
    Buf out = BUF_INIT;
    Err err;
    painter_init(&painter, &caps);
    canvas_init(&canvas);
    assert_true(canvas_resize(&canvas, 40, 10, none, &err));
    size_t before = mem_bytes();
    for (long n = 0;; n++) {
        mem_fail_after(n);
        bool ok = painter_frame(&painter, &out, &canvas, 0, 0, &err);
        mem_fail_after(-1);
        if (ok)
            break;
        assert_int_equal(err.code, ERR_MEM);
        assert_true(n < 100);
        buf_fini(&out);
    }
    assert_true(out.size > 0);
    painter_fini(&painter);
    buf_fini(&out);
    assert_int_equal(mem_bytes(), before);
    canvas_fini(&canvas);
}

/* ---- beside curses ---- */

enum { CURVE, HEAT, COUNTERS, SCENES };
static const char *const scenes[] = { "growing curve", "heat map", "counters" };

static void scene_draw(Canvas *canvas, int scene, int frame)
{
    static const char *const ramp[] = { "⠁", "⠃", "⠇", "⡇" };
    if (scene == CURVE) {
        int x = 10 + frame % (canvas->w - 12);
        canvas_text(canvas, x, 2 + (frame * 7 + frame * frame) % (canvas->h - 8), -1, (Style){ 117, INK_DEFAULT, 0 }, ramp[frame % 4]);
        canvas_text(canvas, x, 3 + (frame * 5) % (canvas->h - 8), -1, (Style){ 208, INK_DEFAULT, 0 }, ramp[frame % 3]);
    } else if (scene == HEAT) {
        for (int y = 2; y < canvas->h - 6; y++)
            for (int x = 5; x < canvas->w - 5; x++)
                canvas_text(canvas, x, y, 1, (Style){ 232 + (x * 3 + y * 5 + frame) / 7 % 24, 232 + (x * 5 + y * 3 + frame * 2) / 9 % 24, 0 }, "▀");
    }
    canvas_textf(canvas, 2, 0, -1, none, "epoch %3d/20  step %6d/12,600  %6.0f/s", frame / 50, frame * 13, 4000 + 37.0 * (frame % 91));
}

static void curses_draw(const Canvas *canvas)
{
    erase();
    for (int y = 0; y < canvas->h; y++)
        for (int x = 0; x < canvas->w; x++) {
            const Cell *cell = &canvas->cells[y * canvas->w + x];
            wchar_t text[2] = { 0 };
            if (!strcmp(cell->text, " ") && cell->style.bg == INK_DEFAULT)
                continue;
            cchar_t wide;
            mbtowc(text, cell->text, CELL_BYTES);
            setcchar(&wide, text, A_NORMAL, 0, &(int){ alloc_pair(cell->style.fg, cell->style.bg) });
            mvadd_wch(y, x, &wide);
        }
    refresh();
}

/* The same frames by curses and by the painter: bytes a frame. */
static void test_beside_curses(void **state)
{
    (void)state;
    setlocale(LC_CTYPE, "C.UTF-8");
    Caps caps = caps_of("xterm-256color");
    setenv("LINES", "40", 1);
    setenv("COLUMNS", "120", 1);
    for (int scene = 0; scene < SCENES; scene++) {
        FILE *file = tmpfile();
        FILE *null = fopen("/dev/null", "r");
        SCREEN *screen = newterm("xterm-256color", file, null);
        assert_non_null(screen);
        start_color();
        use_default_colors();
        Painter painter;
        Canvas canvas;
        Buf out = BUF_INIT;
        Err err;
        painter_init(&painter, &caps);
        canvas_init(&canvas);
        assert_true(canvas_resize(&canvas, 120, 40, none, &err));
        size_t ours = 0;
        long theirs = 0;
        double our_s = 0, their_s = 0;
        for (int frame = 0; frame < 100; frame++) {
            scene_draw(&canvas, scene, frame);
            double start = clock_now();
            buf_reset(&out);
            assert_true(painter_frame(&painter, &out, &canvas, 0, 39, &err));
            our_s += clock_now() - start;
            start = clock_now();
            curses_draw(&canvas);
            fflush(file);
            their_s += clock_now() - start;
            if (frame == 0)
                theirs = -ftell(file); /* the first frame is the whole screen in both */
            else
                ours += out.size;
        }
        theirs += ftell(file);
        printf("# %s at 120x40: %zu bytes and %.0f us a frame; curses %ld and %.0f\n", scenes[scene], ours / 99, our_s / 100 * 1e6,
               theirs / 99, their_s / 100 * 1e6);
        assert_true((double)ours < 1.15 * (double)theirs);
        endwin();
        delscreen(screen);
        fclose(file);
        fclose(null);
        painter_fini(&painter);
        canvas_fini(&canvas);
        buf_fini(&out);
    }
    unsetenv("LINES");
    unsetenv("COLUMNS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences), cmocka_unit_test(test_terminals),     cmocka_unit_test(test_eight_colours),
        cmocka_unit_test(test_no_memory),   cmocka_unit_test(test_beside_curses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
