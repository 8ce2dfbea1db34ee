// SPDX-License-Identifier: MIT
#include "ui/steer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ui/prompt.h"

#define NOTICE_S 4.0
#define PANELS_MOST 32

void steer_say(Face *face, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(face->notice, sizeof face->notice, format, args);
    va_end(args);
    face->notice_end = clock_now() + NOTICE_S;
    face->dirty = true;
}

/* ---- runs ---- */

static void run_look(Face *face, int i)
{
    Run *run = control_run(i);
    if (!run)
        return;
    run_unref(face->run);
    face->run = run;
    face->run_at = i;
    dash_attach(&face->dash, run_telemetry(run));
    run_choose_probe(run, face->dash.layer, face->dash.sample);
    face->dirty = true;
}

void steer_follow(Face *face)
{
    int n = control_count();
    if (n == face->n_runs)
        return;
    face->n_runs = n;
    run_look(face, n - 1);
}

static bool run_active(const Face *face)
{
    if (!face->run)
        return false;
    RunState state = run_state(face->run);
    return state != RUN_FINISHED && state != RUN_STOPPED && state != RUN_FAILED;
}

static bool run_paused(const Face *face)
{
    RunState state = run_state(face->run);
    return state == RUN_PAUSED || state == RUN_TROUBLE;
}

/* The answer of a run to a request. */
static void run_told(Face *face, bool ok, const char *done, const Err *err)
{
    if (ok)
        steer_say(face, "run %d: %s", run_id(face->run), done);
    else
        steer_say(face, "%s", err->text);
}

static void act_run(Face *face, Action action, int count)
{
    Err err = ERR_INIT;
    char done[64];
    if (!face->run) {
        steer_say(face, "no run yet: model:fit(…) starts one");
        return;
    }
    if (action == ACT_PAUSE && run_paused(face)) {
        run_told(face, run_resume(face->run, &err), "goes on", &err);
    } else if (action == ACT_PAUSE) {
        run_told(face, run_pause(face->run, &err), "pauses at its next step", &err);
    } else if (action == ACT_STEP) {
        snprintf(done, sizeof done, count == 1 ? "one step" : "%d steps", count);
        run_told(face, run_step(face->run, count, &err), done, &err);
    } else if (!run_active(face)) {
        steer_say(face, "run %d has ended already", run_id(face->run));
    } else {
        face->asked = ASK_STOP;
    }
}

static int wrapped(int value, int n)
{
    return n > 0 ? (value % n + n) % n : 0;
}

static void act_probe(Face *face, Action action, int count)
{
    DashState *dash = &face->dash;
    int step = action == ACT_LAYER_PREVIOUS || action == ACT_SAMPLE_PREVIOUS ? -count : count;
    if (!dash->probe) { /* its pane is not on this screen, or nothing has been shown yet */
        steer_say(face, "no activations are shown here");
        return;
    }
    if (action == ACT_LAYER_NEXT || action == ACT_LAYER_PREVIOUS)
        dash->layer = wrapped(dash->layer + step, dash->probe->n_layers);
    else
        dash->sample = wrapped(dash->sample + step, dash->probe->n_samples);
    if (face->run)
        run_choose_probe(face->run, dash->layer, dash->sample);
}

static void act_other_run(Face *face, int step)
{
    if (face->n_runs < 2)
        steer_say(face, face->n_runs ? "there is only one run" : "no run yet: model:fit(…) starts one");
    else
        run_look(face, wrapped(face->run_at + step, face->n_runs));
}

/* ---- panes ---- */

static void act_pane(Face *face, int step)
{
    const Panel *panels[PANELS_MOST];
    int n = dash_visible(&face->dash, face->w, face->h, panels, PANELS_MOST), at = 0; /* 0: the prompt */
    for (int i = 0; i < n; i++)
        if (panels[i] == face->dash.focus)
            at = i + 1;
    at = wrapped(at + step, n + 1);
    face->dash.focus = at ? panels[at - 1] : NULL;
    face->dash.scroll = 0;
    face->pane_leading = false;
    if (face->dash.zoom) /* the zoom goes along */
        face->dash.zoom = face->dash.focus;
}

static void act_zoom(Face *face)
{
    DashState *dash = &face->dash;
    if (dash->focus)
        dash->zoom = dash->zoom ? NULL : dash->focus;
    else if (dash->zoom)
        dash->zoom = NULL;
    else
        dash->prompt_rows = dash->prompt_rows ? 0 : face->h;
}

static void act_rows(Face *face, int step)
{
    int rows = face->prompt.h + step;
    face->dash.prompt_rows = rows < 1 ? 1 : rows > face->h ? face->h : rows;
}

static void act_scroll(Face *face, int direction)
{
    if (face->dash.focus) {
        face->dash.scroll += direction * 5;
        face->dash.scroll = face->dash.scroll < 0 ? 0 : face->dash.scroll;
    } else {
        int h = face->prompt.h > 1 ? face->prompt.h - 1 : 1; /* without the line that is edited */
        view_scroll(prompt_view(), face->console, direction * (h / 2 > 0 ? h / 2 : 1), face->prompt.w, h);
    }
}

/* ---- looks ---- */

/* Of the pane that has the keys; else of the metric pane where there is one. */
static void act_curves(Face *face, int step)
{
    DashState *dash = &face->dash;
    const Panel *loss = dash_panel("loss"), *metric = dash_panel("metric");
    const Panel *panels[PANELS_MOST];
    int n = dash_visible(dash, face->w, face->h, panels, PANELS_MOST);
    bool second = false;
    for (int i = 0; i < n; i++)
        second = second || panels[i] == metric;
    dash->turned[dash->focus == metric || (second && dash->focus != loss)] += step;
}

static void act_scale(Face *face)
{
    DashState *dash = &face->dash;
    bool log = dash->log_scale;
    dash->log_scale = !log && !dash->whole;
    dash->whole = log;
    steer_say(face, dash->log_scale ? "losses on a logarithmic scale" : dash->whole ? "curves in their whole range" : "curves in their usual range; ^ where a value lies above it");
}

static void act_smooth(Face *face, int step)
{
    static const double steps[] = { 0, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99 };
    int n = (int)(sizeof steps / sizeof *steps), at = 0;
    while (at < n - 1 && steps[at] < face->dash.smooth - 1e-9)
        at++;
    at += step;
    at = at < 0 ? 0 : at >= n ? n - 1 : at;
    face->dash.smooth = steps[at];
    if (at)
        steer_say(face, "curves averaged over about %.0f steps", 1 / (1 - steps[at]));
    else
        steer_say(face, "curves as they are");
}

static void act_theme(Face *face, int step)
{
    Buf names = BUF_INIT;
    char name[64], first[64] = "", last[64] = "", found[64] = "";
    bool take = false;
    theme_list(&names);
    for (const char *s = buf_text(&names); *s; s += strcspn(s, "\n"), s += *s == '\n') {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(s, "\n"), s);
        if (!*first)
            strcpy(first, name);
        bool here = !strcmp(name, face->theme.name);
        if (take || (here && step < 0))
            strcpy(found, step > 0 ? name : last);
        take = here && step > 0;
        strcpy(last, name);
    }
    buf_fini(&names);
    if (!*found)
        strcpy(found, step > 0 ? first : last);
    Theme theme;
    Err err = ERR_INIT;
    if (*found && theme_load(&theme, found, face->depth, &err)) {
        face->theme = theme;
        steer_say(face, "theme %s", theme.name);
    } else {
        steer_say(face, "%s", *found ? err.text : "no themes found");
    }
}

static void act_help_word(Face *face)
{
    char name[COMPLETE_PATH];
    Buf text = BUF_INIT;
    if (!prompt_word(name))
        steer_say(face, "no name at the cursor");
    else if (face->host->help(face->host->ctx, name, &text))
        overlay_open(&face->overlay, name, buf_text(&text));
    else
        steer_say(face, "no help on %s", name);
    buf_fini(&text);
}

/* ---- all ---- */

bool steer_works(const Face *face, Action action)
{
    switch (action) {
    case ACT_PAUSE:
    case ACT_STEP:
    case ACT_STOP:
        return run_active(face);
    case ACT_LAYER_NEXT:
    case ACT_LAYER_PREVIOUS:
    case ACT_SAMPLE_NEXT:
    case ACT_SAMPLE_PREVIOUS:
    case ACT_CURVES:
    case ACT_CURVES_PREVIOUS:
    case ACT_LOG:
    case ACT_SMOOTHER:
    case ACT_ROUGHER:
        return face->run != NULL;
    case ACT_RUN_NEXT:
    case ACT_RUN_PREVIOUS:
        return face->n_runs > 1;
    default:
        return true;
    }
}

static void act_quit(Face *face)
{
    if (control_any_active())
        face->asked = ASK_QUIT;
    else
        face->quit = true;
}

static void act_look(Face *face, Action action)
{
    if (action == ACT_LOG)
        act_scale(face);
    else if (action == ACT_BIG)
        face->dash.big = !face->dash.big;
    else if (action == ACT_SMOOTHER || action == ACT_ROUGHER)
        act_smooth(face, action == ACT_SMOOTHER ? 1 : -1);
    else if (action == ACT_REDRAW)
        screen_forget(face->screen);
    else if (action == ACT_HELP)
        overlay_open_keys(&face->overlay, face->screen);
}

void steer_act(Face *face, Action action, int count)
{
    face->dirty = true;
    switch (action) {
    case ACT_PAUSE:
    case ACT_STEP:
    case ACT_STOP:
        act_run(face, action, count < 1 ? 1 : count);
        break;
    case ACT_LAYER_NEXT:
    case ACT_LAYER_PREVIOUS:
    case ACT_SAMPLE_NEXT:
    case ACT_SAMPLE_PREVIOUS:
        act_probe(face, action, count);
        break;
    case ACT_NEXT:
    case ACT_PREVIOUS:
        act_pane(face, action == ACT_NEXT ? count : -count);
        break;
    case ACT_CURVES:
    case ACT_CURVES_PREVIOUS:
        if (face->run)
            act_curves(face, action == ACT_CURVES ? count : -count);
        break;
    case ACT_RUN_NEXT:
    case ACT_RUN_PREVIOUS:
        act_other_run(face, action == ACT_RUN_NEXT ? count : -count);
        break;
    case ACT_TALLER:
    case ACT_SHORTER:
        act_rows(face, action == ACT_TALLER ? count : -count);
        break;
    case ACT_UP:
    case ACT_DOWN:
        act_scroll(face, action == ACT_UP ? -1 : 1);
        break;
    case ACT_THEME:
        act_theme(face, count < 0 ? -1 : 1);
        break;
    case ACT_ZOOM:
        act_zoom(face);
        break;
    case ACT_WORD:
        act_help_word(face);
        break;
    case ACT_QUIT:
        act_quit(face);
        break;
    default:
        act_look(face, action);
    }
}

void steer_answer(Face *face, bool yes)
{
    Err err = ERR_INIT;
    Asked asked = face->asked;
    face->asked = ASK_NOTHING;
    face->dirty = true;
    if (!yes)
        return;
    if (asked == ASK_QUIT)
        face->quit = true;
    else if (face->run)
        run_told(face, run_stop(face->run, &err), "stops at its next step", &err);
}

void steer_pane_key(Face *face, int code)
{
    DashState *dash = &face->dash;
    int layer = dash->layer, sample = dash->sample;
    face->dirty = true;
    if (code == KEYS_LEADER && !face->pane_leading) {
        face->pane_leading = true;
        return;
    }
    bool led = face->pane_leading;
    face->pane_leading = false;
    if (!led && (code == KEY_ESCAPE || code == KEY_ENTER)) {
        dash->focus = dash->zoom = NULL;
        return;
    }
    Action action = keys_letter(code);
    if (!led && dash->focus->key && dash->focus->key(dash, code))
        action = ACT_NONE;
    else if (!action && !led)
        action = code == KEY_TAB ? ACT_NEXT : code == KEY_BACKTAB ? ACT_PREVIOUS : code == '?' ? ACT_HELP : keys_direct(code);
    if (action)
        steer_act(face, action, 1);
    else if (face->run && (layer != dash->layer || sample != dash->sample))
        run_choose_probe(face->run, dash->layer, dash->sample);
}
