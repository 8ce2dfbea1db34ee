// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "ui/colour.h"
#include "ui/theme.h"

static const Depth depths[] = { DEPTH_TRUE, DEPTH_256, DEPTH_16, DEPTH_NONE };
#define FOR_DEPTHS(d) for (size_t d = 0; d < sizeof depths / sizeof depths[0]; d++)

static bool ink_fits(Ink ink, Depth depth)
{
    if (ink == INK_DEFAULT)
        return true;
    return depth == DEPTH_TRUE ? ink >= 0 : depth == DEPTH_256 ? ink >= 0 && ink < 256 : depth == DEPTH_16 ? ink >= 0 && ink < 16 : false;
}

static void assert_fits(const Theme *theme)
{
    for (int i = 0; i < ROLE_COUNT; i++) {
        assert_true(ink_fits(theme->roles[i].fg, theme->depth));
        assert_true(ink_fits(theme->roles[i].bg, theme->depth));
    }
    for (int r = 0; r < RAMP_COUNT; r++)
        for (int i = 0; i < THEME_RAMP; i++) {
            assert_true(ink_fits(theme->ramps[r][i], theme->depth));
            assert_true(ink_fits(theme->on_ramp[r][i], theme->depth));
            assert_true((theme->ramps[r][i] == INK_DEFAULT) == (theme->depth == DEPTH_NONE));
        }
}

static uint32_t rgb_of(Ink ink)
{
    return ink >= INK_RGB ? (uint32_t)ink & 0xFFFFFF : colour_of_index(ink);
}

static void every_file_loads_at_every_depth(void **state)
{
    (void)state;
    Buf list = BUF_INIT;
    theme_list(&list);
    int n = 0;
    char *rest = NULL;
    for (char *name = strtok_r((char *)buf_text(&list), "\n", &rest); name; name = strtok_r(NULL, "\n", &rest), n++)
        FOR_DEPTHS(d) {
            Theme theme;
            Err err = ERR_INIT;
            bool ok = theme_load(&theme, name, depths[d], &err);
            assert_string_equal(err.text, "");
            assert_true(ok);
            assert_string_equal(theme.name, name);
            assert_fits(&theme);
        }
    assert_true(n >= 5);
    buf_fini(&list);
}

static void the_built_in_theme_is_whole(void **state)
{
    (void)state;
    FOR_DEPTHS(d) {
        Theme built, loaded;
        Err err = ERR_INIT;
        theme_default(&built, depths[d]);
        assert_fits(&built);
        assert_true(theme_load(&loaded, "dark", depths[d], &err));
        assert_memory_equal(&built, &loaded, sizeof built);
        if (depths[d] != DEPTH_NONE)
            assert_true(built.roles[ROLE_TRAIN].fg != built.roles[ROLE_VALID].fg);
    }
}

/* The sample explains dark: the same colours, every key in it, a comment above each. */
static void the_sample_documents_every_key(void **state)
{
    (void)state;
    FOR_DEPTHS(d) {
        Theme dark, sample;
        Err err = ERR_INIT;
        theme_default(&dark, depths[d]);
        assert_true(theme_load(&sample, "sample", depths[d], &err));
        memcpy(sample.name, dark.name, sizeof dark.name);
        assert_memory_equal(&dark, &sample, sizeof dark);
    }
    static const char *const keys[] = {
        "background",
#define X(role, key, help) key,
        THEME_ROLES(X) THEME_RAMPS(X)
#undef X
    };
    Buf text = BUF_INIT;
    Err err = ERR_INIT;
    assert_true(file_read("themes/sample.theme", &text, 65536, &err));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char start[64];
        snprintf(start, sizeof start, "\n%s ", keys[i]);
        const char *line = strstr(buf_text(&text), start);
        assert_non_null(line);
        while (line > text.data && line[-1] != '\n')
            line--;
        assert_int_equal(line[0], '#');
    }
    buf_fini(&text);
}

static void assert_refused(const char *text, const char *sentence)
{
    Theme theme;
    Err err = ERR_INIT;
    assert_false(theme_parse(&theme, text, "x.theme", DEPTH_256, &err));
    assert_int_equal(err.code, ERR_DATA);
    assert_string_equal(err.text, sentence);
}

static void mistakes_are_named_with_file_and_line(void **state)
{
    (void)state;
    assert_refused("# hi\n\ntrian = red\n", "x.theme:3: unknown key \"trian\" (did you mean \"train\"?)");
    assert_refused("train = gren\n", "x.theme:1: unknown colour or attribute \"gren\" (did you mean \"green\"?)");
    assert_refused("train = #12345\n", "x.theme:1: a colour is written #rrggbb, got \"#12345\"");
    assert_refused("train = #12345g\n", "x.theme:1: a colour is written #rrggbb, got \"#12345g\"");
    assert_refused("train = #-12345\n", "x.theme:1: a colour is written #rrggbb, got \"#-12345\"");
    assert_refused("train = 256\n", "x.theme:1: a colour number is 0 to 255, got \"256\"");
    assert_refused("train = 99999999999999999999\n", "x.theme:1: a colour number is 0 to 255, got \"99999999999999999999\"");
    assert_refused("train\n", "x.theme:1: a line is \"key = colour\", got \"train\"");
    assert_refused("train =\n", "x.theme:1: no colour given for \"train\"");
    assert_refused("train = red\ntrain = blue\n", "x.theme:2: set before in this file: \"train\"");
    assert_refused("train = red | #ff0000\n", "x.theme:1: the column for 256 colours cannot hold \"#ff0000\"");
    assert_refused("train = red | 1 | 16\n", "x.theme:1: the column for 16 colours cannot hold \"16\"");
    assert_refused("train = red|1|1|red\n", "x.theme:1: the column for no colour cannot hold \"red\" (attributes only: bold, dim, reverse, "
                                            "underline, plain)");
    assert_refused("train = red|1|1|bold|x\n", "x.theme:1: at most four columns (true colour | 256 | 16 | none) for \"train\"");
    assert_refused("train = red blue\n", "x.theme:1: one colour is enough, here is another: \"blue\"");
    assert_refused("train = red on\n", "x.theme:1: a colour must follow \"on\"");
    assert_refused("heat = #000000\n", "x.theme:1: a ramp needs at least \"2 colours\"");
    assert_refused("heat = red blue\n", "x.theme:1: a ramp is mixed from #rrggbb or 16 to 255, not from \"red\"");
    assert_refused("heat = #000000 #ffffff bold\n", "x.theme:1: a ramp holds only colours, got \"bold\"");
}

static void a_bad_file_is_refused(void **state)
{
    (void)state;
    Theme theme;
    Err err = ERR_INIT;
    assert_false(theme_load(&theme, "drak", DEPTH_256, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, "\"drak\" (did you mean \"dark\"?)"));
    assert_false(theme_load(&theme, "/nowhere/x.theme", DEPTH_256, &err));
    assert_false(theme_load(&theme, "../../etc/passwd", DEPTH_256, &err));
    char line[600] = "train = ";
    memset(line + 8, 'a', sizeof line - 9);
    line[sizeof line - 1] = '\0';
    assert_false(theme_parse(&theme, line, "x.theme", DEPTH_256, &err));
    assert_non_null(strstr(err.text, "x.theme:1: the line has 599 characters"));
    mem_fail_after(0);
    bool ok = theme_parse(&theme, "", "x.theme", DEPTH_256, &err);
    mem_fail_after(-1);
    assert_false(ok);
    assert_int_equal(err.code, ERR_MEM);
}

static void columns_are_derived_and_inherited(void **state)
{
    (void)state;
    Theme t, dark;
    Err err = ERR_INIT;
    const char *text = "background = #000000\ntext = #ffffff\ntrain = #ff0000 bold\nvalid = #00ff00 on #0000ff\nmark = bold\n"
                       "good = default\nselect = reverse | 12 on 13 underline | | plain\n";
    assert_true(theme_parse(&t, text, "x.theme", DEPTH_256, &err));
    assert_int_equal(t.roles[ROLE_TRAIN].fg, 196);
    assert_int_equal(t.roles[ROLE_TRAIN].bg, 16);
    assert_int_equal(t.roles[ROLE_TRAIN].attrs, ATTR_BOLD);
    assert_int_equal(t.roles[ROLE_VALID].bg, 21);
    assert_int_equal(t.roles[ROLE_MARK].fg, 231);
    assert_int_equal(t.roles[ROLE_GOOD].fg, INK_DEFAULT);
    assert_int_equal(t.roles[ROLE_SELECT].attrs, ATTR_UNDERLINE);
    theme_default(&dark, DEPTH_256);
    assert_int_equal(t.roles[ROLE_TROUBLE].fg, dark.roles[ROLE_TROUBLE].fg);
    assert_true(theme_parse(&t, text, "x.theme", DEPTH_16, &err));
    assert_int_equal(t.roles[ROLE_TRAIN].fg, 9);
    assert_int_equal(t.roles[ROLE_SELECT].fg, 12);
    assert_true(theme_parse(&t, text, "x.theme", DEPTH_NONE, &err));
    assert_int_equal(t.roles[ROLE_TRAIN].fg, INK_DEFAULT);
    assert_int_equal(t.roles[ROLE_TRAIN].attrs, ATTR_BOLD);
    assert_int_equal(t.roles[ROLE_SELECT].attrs, 0);
}

/* Lightness of the sequential ramps rises or falls all the way, so that more looks like more. */
static void ramps_are_monotone(void **state)
{
    (void)state;
    static const char *const names[] = { "dark", "light", "colorblind", "mono" };
    static const Ramp sequential[] = { RAMP_HEAT, RAMP_HIT, RAMP_MISS, RAMP_GREY };
    for (size_t n = 0; n < 4; n++)
        for (int d = 0; d < 2; d++)
            for (size_t r = 0; r < 4; r++) {
                Theme theme;
                Err err = ERR_INIT;
                assert_true(theme_load(&theme, names[n], depths[d], &err));
                const Ink *ramp = theme.ramps[sequential[r]];
                double sign = colour_lab(rgb_of(ramp[THEME_RAMP - 1])).l > colour_lab(rgb_of(ramp[0])).l ? 1 : -1;
                for (int i = 1; i < THEME_RAMP; i++) {
                    double step = sign * (colour_lab(rgb_of(ramp[i])).l - colour_lab(rgb_of(ramp[i - 1])).l);
                    if (step < -0.005)
                        print_message("# %s ramp %zu step %d at depth %d: %g\n", names[n], r, i, d, step);
                    assert_true(step >= -0.005);
                }
            }
    Theme derived; /* without a column for 256 the order is kept, too */
    Err err = ERR_INIT;
    assert_true(theme_parse(&derived, "heat = #440154 #31688e #35b779 #fde725\n", "x.theme", DEPTH_256, &err));
    for (int i = 1; i < THEME_RAMP; i++)
        assert_true(colour_lab(rgb_of(derived.ramps[RAMP_HEAT][i])).l >= colour_lab(rgb_of(derived.ramps[RAMP_HEAT][i - 1])).l);
}

/* Text at least 4.5 : 1, curves and marks at least 3 : 1, on the theme's own background. */
static void words_and_curves_can_be_read(void **state)
{
    (void)state;
    static const char *const names[] = { "dark", "light", "colorblind" };
    static const struct {
        Role role;
        double least;
    } rows[] = { { ROLE_TEXT, 7 },  { ROLE_LABEL, 4.5 }, { ROLE_BRIGHT, 7 }, { ROLE_TRAIN, 4.5 },   { ROLE_VALID, 4.5 },
                 { ROLE_GOOD, 4.5 }, { ROLE_TROUBLE, 4.5 }, { ROLE_MARK, 3 }, { ROLE_NOTE, 4.5 }, { ROLE_PROMPT, 4.5 } };
    for (size_t n = 0; n < 3; n++)
        for (int d = 0; d < 2; d++)
            for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
                Theme theme;
                Err err = ERR_INIT;
                assert_true(theme_load(&theme, names[n], depths[d], &err));
                Style style = theme.roles[rows[r].role];
                double contrast = colour_contrast(rgb_of(style.fg), rgb_of(style.bg));
                if (contrast < rows[r].least)
                    print_message("# %s role %d at depth %d: %.2f\n", names[n], rows[r].role, d, contrast);
                assert_true(contrast >= rows[r].least);
            }
}

static void depth_follows_the_environment(void **state)
{
    (void)state;
    unsetenv("NO_COLOR");
    unsetenv("COLORTERM");
    setenv("TERM", "xterm-256color", 1);
    assert_int_equal(theme_depth(256), DEPTH_256);
    assert_int_equal(theme_depth(8), DEPTH_256);
    setenv("TERM", "linux", 1);
    assert_int_equal(theme_depth(8), DEPTH_16);
    assert_int_equal(theme_depth(0), DEPTH_NONE);
    assert_int_equal(theme_depth(-1), DEPTH_NONE);
    setenv("COLORTERM", "truecolor", 1);
    assert_int_equal(theme_depth(256), DEPTH_TRUE);
    setenv("NO_COLOR", "", 1);
    assert_int_equal(theme_depth(256), DEPTH_TRUE);
    setenv("NO_COLOR", "1", 1);
    assert_int_equal(theme_depth(256), DEPTH_NONE);
}

static void steps_and_shades_cover_the_range(void **state)
{
    (void)state;
    assert_int_equal(theme_step(-1), 0);
    assert_int_equal(theme_step(0), 0);
    assert_int_equal(theme_step(0.0 / 0.0), 0);
    assert_int_equal(theme_step(1), THEME_RAMP - 1);
    assert_int_equal(theme_step(1e300), THEME_RAMP - 1);
    assert_int_equal(theme_step(0.5), THEME_RAMP / 2);
    assert_int_equal(theme_shade(0, false), ' ');
    assert_int_equal(theme_shade(1, false), 0x2588);
    assert_int_equal(theme_shade(2, true), '@');
    assert_int_equal(theme_shade(0.0 / 0.0, true), ' ');
    Theme t;
    theme_default(&t, DEPTH_256);
    assert_int_equal(theme_rgb(&t, 0xFF0000), 196);
    assert_int_equal(theme_rgb(&t, 0x808080), 244);
    assert_int_equal(theme_rgb(&t, 0), 16);
    assert_int_equal(theme_rgb(&t, 0xFFFFFF), 231);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_loads_at_every_depth),
        cmocka_unit_test(the_built_in_theme_is_whole),
        cmocka_unit_test(the_sample_documents_every_key),
        cmocka_unit_test(mistakes_are_named_with_file_and_line),
        cmocka_unit_test(a_bad_file_is_refused),
        cmocka_unit_test(columns_are_derived_and_inherited),
        cmocka_unit_test(ramps_are_monotone),
        cmocka_unit_test(words_and_curves_can_be_read),
        cmocka_unit_test(depth_follows_the_environment),
        cmocka_unit_test(steps_and_shades_cover_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
