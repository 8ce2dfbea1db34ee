// SPDX-License-Identifier: MIT
/* Charts: which there are, what their frames hold, and how curves are told apart. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "screen.h"
#include "ui/curves.h"
#include "ui/dash.h"
#include "ui/keys.h"

static Canvas canvas;

static void draw(DashState *dash, int w, int h)
{
    Err err = ERR_INIT;
    Theme theme;
    Rect prompt, keys;
    theme_default(&theme, DEPTH_NONE);
    assert_true(canvas_resize(&canvas, w, h, theme.base, &err));
    dash_draw(dash, &canvas, &theme, &prompt, &keys);
}

static bool on_screen(const char *text)
{
    Buf out = BUF_INIT;
    canvas_dump(&canvas, false, &out);
    bool found = strstr(buf_text(&out), text) != NULL;
    buf_fini(&out);
    return found;
}

static void assert_seen(const char *text)
{
    if (!on_screen(text)) {
        Buf out = BUF_INIT;
        canvas_dump(&canvas, false, &out);
        print_message("# no \"%s\" on:\n%s\n", text, buf_text(&out));
        buf_fini(&out);
    }
    assert_true(on_screen(text));
}

/* How often a character stands in rows y0 … y1-1. */
static int count_on_screen(char c, int y0, int y1)
{
    int n = 0;
    for (int i = y0 * canvas.w; i < y1 * canvas.w; i++)
        n += canvas.cells[i].text[0] == c && canvas.cells[i].text[1] == 0;
    return n;
}

typedef double Value(int metric, int64_t step);

/* A run of 200 steps whose metrics have these names; `validates` adds rows of validation. */
static Telemetry *run_of(int n, const char *const names[], Value *value, bool validates)
{
    TelePlan plan = { .run_id = 1, .model = "m", .n_metrics = n, .first_epoch = 1, .n_epochs = 4, .steps_per_epoch = 50, .validates = validates };
    for (int i = 0; i < n; i++)
        snprintf(plan.metrics[i], sizeof plan.metrics[i], "%s", names[i]);
    Err err = ERR_INIT;
    Telemetry *tele = telemetry_new(&plan, &err);
    assert_non_null(tele);
    TeleNow now = { .state = RUN_TRAINING, .epoch = 4, .step = 200, .learning_rate = 0.002, .left_s = -1 };
    for (int64_t step = 1; step <= 200; step++) {
        double metrics[TELE_METRICS] = { 0 };
        for (int i = 0; i < n; i++)
            metrics[i] = value(i, step);
        telemetry_add_step(tele, step, metrics, step <= 100 ? 0.01 : 0.002);
        if (step % 50 || !validates)
            continue;
        Fact fact = { .kind = FACT_EPOCH, .epoch = (int)(step / 50), .step = step };
        for (int i = 0; i < TELE_METRICS; i++) {
            fact.metrics[i] = metrics[i];
            fact.validation[i] = i < n ? metrics[i] + 0.125 : (double)NAN;
        }
        telemetry_add_fact(tele, &fact);
    }
    for (int i = 0; i < TELE_METRICS; i++)
        now.metrics[i] = now.validation[i] = (double)NAN;
    telemetry_set_now(tele, &now);
    return tele;
}

static double apart(int metric, int64_t step)
{
    return 1 + metric + 1.0 / (double)step;
}

static void begin(DashState *dash, Telemetry *tele)
{
    dash_init(dash);
    dash->smooth = 0;
    dash_attach(dash, tele);
    telemetry_unref(tele);
}

/* Titles of all charts of a pane, in the order of its keys. */
static void assert_titles(DashState *dash, bool second, const char *const titles[], int n)
{
    CurveView view;
    for (int i = 0; i < 2 * n; i++) { /* round and round */
        int at, all;
        kinds_view(dash, second, &view, &at, &all);
        assert_int_equal(all, n);
        assert_string_equal(view.title, titles[i % n]);
        assert_true(dash_panel(second ? "metric" : "loss")->key(dash, KEY_RIGHT));
    }
    for (int i = 2 * n - 1; i >= 0; i--) {
        int at, all;
        assert_true(dash_panel(second ? "metric" : "loss")->key(dash, KEY_LEFT));
        kinds_view(dash, second, &view, &at, &all);
        assert_string_equal(view.title, titles[i % n]);
    }
}

static void metrics_of_one_kind_stand_together(void **state)
{
    (void)state;
    static const char *const two[] = { "loss", "left_loss", "right_loss", "left_accuracy", "right_accuracy", "mae" };
    static const char *const first[] = { "loss", "loss", "left_loss", "right_loss", "accuracy", "left_accuracy", "right_accuracy", "mae", "learning rate" };
    static const char *const second[] = { "accuracy", "left_accuracy", "right_accuracy", "mae", "learning rate", "loss", "loss", "left_loss", "right_loss" };
    DashState dash;
    begin(&dash, run_of(6, two, apart, false));
    assert_titles(&dash, false, first, 9);
    assert_titles(&dash, true, second, 9);
    assert_true(dash_has(&dash, dash_panel("metric")));
    dash_fini(&dash);
    static const char *const gan[] = { "d_loss", "g_loss", "generated_images", "_", "" };
    static const char *const charts[] = { "loss", "d_loss", "g_loss", "generated_images", "_", "", "learning rate" };
    begin(&dash, run_of(5, gan, apart, false));
    assert_titles(&dash, false, charts, 7);
    dash_fini(&dash);
    static const char *const plain[] = { "loss" }, *const plain_charts[] = { "loss", "learning rate" };
    begin(&dash, run_of(1, plain, apart, false));
    assert_titles(&dash, false, plain_charts, 2);
    assert_false(dash_has(&dash, dash_panel("metric")));
    dash_fini(&dash);
}

/* More than a chart holds: the rest in another; each is also there alone. */
static void many_metrics_all_have_a_place(void **state)
{
    (void)state;
    static const char *const names[] = { "a_loss", "b_loss", "c_loss", "d_loss", "e_loss", "f_loss", "g_loss", "h_loss", "i_loss", "j_loss", "k_loss", "l_loss" };
    DashState dash;
    begin(&dash, run_of(12, names, apart, false));
    int seen[TELE_METRICS] = { 0 }, at, n;
    CurveView view;
    kinds_view(&dash, false, &view, &at, &n);
    assert_int_equal(n, 2 + 12 + 1);
    assert_int_equal(view.n, CURVES_MOST);
    for (int i = 0; i < n - 1; i++, dash.turned[0]++) {
        kinds_view(&dash, false, &view, &at, &n);
        for (int k = 0; k < view.n; k++)
            seen[view.metrics[k]]++;
        draw(&dash, 200, 60);
    }
    for (int i = 0; i < 12; i++)
        assert_int_equal(seen[i], 2);
    dash_fini(&dash);
}

/* A letter in the legend and on the curve, the values of both parts; whatever the names are. */
static void several_curves_have_letters_and_values(void **state)
{
    (void)state;
    static const char *const names[] = { "loss", "left_loss", "a_very_long_name_of_some_loss" };
    DashState dash;
    begin(&dash, run_of(3, names, apart, true));
    dash.zoom = dash_panel("loss");
    draw(&dash, 100, 40);
    assert_seen("train   valid");
    assert_seen("a loss                           1.0050  1.1300");
    assert_seen("b left_loss                      2.0050  2.1300");
    assert_seen("c a_very_long_name_of_some_loss  3.0050  3.1300");
    for (int i = 0; i < 3; i++)
        assert_true(count_on_screen((char)('a' + i), 6, 30) >= 3);
    screen_assert(&canvas, "100x40-several", false);
    draw(&dash, 80, 24);
    assert_seen("c a_very_long_name_of_so…  3.0050  3.1300");
    canvas.ascii = true;
    draw(&dash, 80, 24);
    assert_true(count_on_screen('b', 5, 14) > 20);
    canvas.ascii = false;
    dash_fini(&dash);
}

static void the_learning_rate_has_a_curve(void **state)
{
    (void)state;
    static const char *const names[] = { "loss" };
    DashState dash;
    begin(&dash, run_of(1, names, apart, true));
    dash.turned[0] = -1;
    draw(&dash, 100, 30);
    assert_seen("learning rate");
    assert_seen("rate     0.002");
    assert_seen("0.010 ┤");
    assert_false(on_screen("valid"));
    dash_fini(&dash);
}

static double spike(int metric, int64_t step)
{
    return metric == 0 ? (step <= 4 ? 50 : 0.5 + 0.001 * (double)(step % 7)) : (step == 20 ? -40 : 1);
}

static double rising_end(int metric, int64_t step)
{
    (void)metric;
    return step > 197 ? 50 : 0.5;
}

/* A few far values do not flatten the rest, are not hidden, and are all inside where the user wants them. */
static void few_far_values_are_outside_with_a_sign(void **state)
{
    (void)state;
    static const char *const names[] = { "loss", "score" };
    DashState dash;
    begin(&dash, run_of(2, names, spike, false));
    draw(&dash, 120, 40);
    assert_seen("^");
    assert_seen("up to 50");
    assert_seen("down to -40");
    assert_false(on_screen("60 ┤"));
    dash.whole = true;
    draw(&dash, 120, 40);
    assert_false(on_screen("up to") || on_screen("down to"));
    assert_seen("whole range");
    dash.whole = false;
    dash.log_scale = true;
    draw(&dash, 120, 40);
    assert_false(on_screen("up to"));
    dash_fini(&dash);
    begin(&dash, run_of(1, names, rising_end, false)); /* what the legend tells is always inside */
    draw(&dash, 120, 40);
    assert_seen("train   50.000");
    assert_false(on_screen("up to"));
    dash_fini(&dash);
}

static double close_together(int metric, int64_t step)
{
    (void)metric;
    return 1.0 / (double)step - 0.125; /* validation is the same at the ends of epochs, nearly */
}

static void without_colours_letters_tell_validation(void **state)
{
    (void)state;
    static const char *const names[] = { "loss" };
    DashState dash;
    begin(&dash, run_of(1, names, close_together, true));
    draw(&dash, 120, 40);
    int with = count_on_screen('o', 3, 20);
    dash_fini(&dash);
    begin(&dash, run_of(1, names, close_together, false));
    draw(&dash, 120, 40);
    assert_int_equal(with - count_on_screen('o', 3, 20), 4 + 1); /* four epochs, and the legend's sample */
    dash_fini(&dash);
}

/* Marks and signs leave the legend whole. */
static void nothing_crosses_the_legend(void **state)
{
    (void)state;
    static const char *const names[] = { "loss" };
    for (int64_t step = 1; step <= 200; step += 3) {
        DashState dash;
        Telemetry *tele = run_of(1, names, spike, true);
        Fact mark = { .kind = FACT_EVENT, .epoch = 1, .step = step, .by_user = true, .label = "rewind" };
        telemetry_add_fact(tele, &mark);
        begin(&dash, tele);
        draw(&dash, 80, 24);
        assert_seen("── train   0.5040");
    assert_seen("╌o valid   0.6290");
        dash_fini(&dash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_of_one_kind_stand_together),
        cmocka_unit_test(many_metrics_all_have_a_place),
        cmocka_unit_test(several_curves_have_letters_and_values),
        cmocka_unit_test(the_learning_rate_has_a_curve),
        cmocka_unit_test(few_far_values_are_outside_with_a_sign),
        cmocka_unit_test(without_colours_letters_tell_validation),
        cmocka_unit_test(nothing_crosses_the_legend),
    };
    canvas_init(&canvas);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    canvas_fini(&canvas);
    return failed;
}
