// SPDX-License-Identifier: MIT
#include "ui/dash.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ui/panels.h"

/* ---- the table of panes: a file of ui/dashboard/ each ---- */

#define ROW(name) extern const Panel panel_##name;
#include "gen/dashboard.h"
#undef ROW

#define MOST_PANELS 32

static const Panel *const unordered[] = {
#define ROW(name) &panel_##name,
#include "gen/dashboard.h"
#undef ROW
};
#define N_PANELS ((int)(sizeof unordered / sizeof unordered[0]))
_Static_assert(N_PANELS <= MOST_PANELS, "DashState.shown has a bit for each");

int dash_panels(const Panel *const **out)
{
    static const Panel *ordered[MOST_PANELS];
    static int n; /* one thread: ui */
    if (n < N_PANELS)
        for (n = 0; n < N_PANELS; n++) {
            int at = n;
            for (; at > 0 && ordered[at - 1]->order > unordered[n]->order; at--)
                ordered[at] = ordered[at - 1];
            ordered[at] = unordered[n];
        }
    *out = ordered;
    return n;
}

const Panel *dash_panel(const char *name)
{
    for (int i = 0; i < N_PANELS; i++)
        if (strcmp(unordered[i]->name, name) == 0)
            return unordered[i];
    return NULL;
}

bool dash_has(const DashState *dash, const Panel *panel)
{
    if (!dash->tele || !panel)
        return false;
    const TelePlan *plan = telemetry_plan(dash->tele);
    if (strcmp(panel->name, "metric") == 0)
        return kinds_second(plan) > 0;
    return panel->picture != PICTURE_CONFUSION || plan->n_classes > 1;
}

/* ---- life ---- */

void dash_init(DashState *dash)
{
    *dash = (DashState){ .smooth = 0.9 };
}

/* Counts are given back exactly once, whatever the order of calls. */
static void watch(DashState *dash, PictureKind kind, bool on)
{
    if (dash->tele && dash->watching[kind] != on)
        telemetry_watch(dash->tele, kind, on);
    dash->watching[kind] = dash->tele && on;
}

static void let_go(DashState *dash)
{
    for (int i = 0; i < PICTURE_KINDS; i++)
        watch(dash, (PictureKind)i, false);
    telemetry_picture_free(dash->layers);
    telemetry_picture_free(dash->confusion);
    telemetry_picture_free(dash->probe);
    dash->layers = NULL;
    dash->confusion = NULL;
    dash->probe = NULL;
    if (dash->cache)
        epochs_fini(&dash->cache->epochs);
    mem_free(dash->cache);
    dash->cache = NULL;
    telemetry_unref(dash->tele);
    dash->tele = NULL;
}

void dash_fini(DashState *dash)
{
    let_go(dash);
}

void dash_attach(DashState *dash, Telemetry *tele)
{
    if (tele == dash->tele)
        return;
    telemetry_ref(tele);
    let_go(dash);
    dash->tele = tele;
    dash->turned[0] = dash->turned[1] = dash->sample = dash->scroll = 0;
    dash->layer = -1;
    dash->version = 0;
    if (!tele)
        return;
    int n = telemetry_plan(tele)->n_metrics + 1;
    dash->cache = mem_zero(1, sizeof *dash->cache + (size_t)n * sizeof(TeleSeries), NULL);
    if (dash->cache) {
        dash->cache->n_series = n;
        epochs_init(&dash->cache->epochs, n - 1);
    }
    (void)dash_refresh(dash);
}

/* Exchange a held picture for the newest; true when it is another one. */
static bool fetch_picture(DashState *dash, PictureKind kind, const void **held)
{
    const void *newest = telemetry_picture(dash->tele, kind), *old = *held;
    *held = newest;
    telemetry_picture_free(old);
    return newest != old;
}

/* One look: the version first, so that a change during the copies is seen at the next look. */
bool dash_refresh(DashState *dash)
{
    if (!dash->tele)
        return false;
    uint64_t version = telemetry_version(dash->tele);
    if (version == dash->version && dash->version)
        return false;
    bool first = dash->version == 0;
    dash->version = version;
    telemetry_now(dash->tele, &dash->now);
    for (int i = 0; dash->cache && i < dash->cache->n_series; i++)
        telemetry_series(dash->tele, i, &dash->cache->series[i]);
    if (dash->cache)
        epochs_fetch(&dash->cache->epochs, dash->tele);
    const void *layers = dash->layers, *confusion = dash->confusion, *probe = dash->probe;
    fetch_picture(dash, PICTURE_LAYERS, &layers);
    fetch_picture(dash, PICTURE_CONFUSION, &confusion);
    fetch_picture(dash, PICTURE_PROBE, &probe);
    if (dash->layer < 0 && probe) { /* the trainer chose what to look at first */
        dash->layer = ((const TeleProbe *)probe)->layer;
        dash->sample = ((const TeleProbe *)probe)->sample;
    }
    dash->layers = layers;
    dash->confusion = confusion;
    dash->probe = probe;
    return version != 0 || first;
}

/* The layout's panes in the order of focus. */
int dash_visible(const DashState *dash, int w, int h, const Panel *out[], int most)
{
    Rect areas[MOST_PANELS], prompt;
    const Panel *panels[MOST_PANELS];
    int n = dash_layout(dash, w, h, panels, areas, MOST_PANELS, &prompt), kept = 0;
    const Panel *const *all;
    int n_all = dash_panels(&all);
    for (int i = 0; i < n_all; i++)
        for (int j = 0; j < n; j++)
            if (panels[j] == all[i] && kept < most)
                out[kept++] = all[i];
    return kept;
}

/* ---- drawing ---- */

static void draw_too_small(Canvas *canvas, const Theme *theme)
{
    char text[160];
    snprintf(text, sizeof text, "hebb needs a window of at least %d x %d characters; this one has %d x %d. The training goes on.",
             DASH_LEAST_W, DASH_LEAST_H, canvas->w, canvas->h);
    int width = canvas->w < 60 ? canvas->w : 60, lines = words_draw(canvas, 0, 0, width, 0, theme->base, text);
    int y = (canvas->h - lines) / 2;
    words_draw(canvas, (canvas->w - width) / 2, y < 0 ? 0 : y, width, canvas->h, theme->roles[ROLE_TEXT], text);
}

/* Nothing has been run yet: what can be typed, quietly in the middle. */
static void draw_empty(const DashState *dash, Canvas *canvas, const Theme *theme, Rect body)
{
    static const struct {
        const char *typed, *does;
    } rows[] = {
        { "tour()", "a network learns digits while you watch: begin here" },
        { "help()", "what there is; ?nn.Dense explains one thing" },
        { "data.digits()", "handwritten digits, ready to train on" },
    };
    int n = sizeof rows / sizeof rows[0], y = body.y + (body.h - n - 3) / 2, x = body.x + (body.w - 70) / 2;
    y = y < body.y ? body.y : y;
    canvas_text(canvas, x, y, 70, theme->roles[ROLE_BRIGHT], "hebb");
    canvas_text(canvas, x + 6, y, 64, theme->roles[ROLE_LABEL], "a terminal laboratory for neural networks");
    if (dash->hint) {
        words_draw(canvas, x, y + 2, 70, body.y + body.h - y - 2, theme->roles[ROLE_TEXT], dash->hint);
        return;
    }
    for (int i = 0; i < n; i++) {
        canvas_put(canvas, x, y + 2 + i, theme->roles[ROLE_PROMPT], '>');
        canvas_text(canvas, x + 2, y + 2 + i, 16, theme->roles[ROLE_TEXT], rows[i].typed);
        canvas_text(canvas, x + 18, y + 2 + i, 52, theme->roles[ROLE_LABEL], rows[i].does);
    }
}

static Rect inside(Rect area)
{
    return (Rect){ area.x + 1, area.y + 1, area.w - 2, area.h - 2 };
}

/* Frame and caption by the dashboard, the inside by the pane, which cannot draw beyond it. The caption comes last: it tells
 * what was drawn. */
static void draw_panel(DashState *dash, Canvas *canvas, const Theme *theme, const Panel *panel, Rect area)
{
    char title[DASH_CAPTION] = "", state[DASH_CAPTION] = "";
    bool focused = dash->focus == panel;
    PanelView view = { theme, canvas, inside(area), focused, dash };
    canvas_clip(canvas, view.area);
    panel->draw(&view);
    canvas_clip(canvas, (Rect){ 0, 0, -1, -1 });
    if (panel->caption)
        panel->caption(dash, area.w - 8, title, state);
    Style border = theme->roles[focused ? ROLE_FOCUS : ROLE_BORDER], bright = theme->roles[ROLE_BRIGHT];
    canvas_frame(canvas, area, border, bright, *title ? title : panel->title, theme->roles[ROLE_LABEL], state);
}

/* Pictures are made only for panes that are on the screen. */
static void note_shown(DashState *dash, const Panel *const panels[], int n)
{
    const Panel *const *all;
    int n_all = dash_panels(&all);
    bool needed[PICTURE_KINDS] = { false };
    dash->shown = 0;
    for (int i = 0; i < n; i++) {
        if (panels[i]->picture < PICTURE_KINDS)
            needed[panels[i]->picture] = true;
        for (int j = 0; j < n_all; j++)
            dash->shown |= all[j] == panels[i] ? 1u << j : 0;
    }
    for (int i = 0; i < PICTURE_KINDS; i++)
        watch(dash, (PictureKind)i, needed[i]);
}

/* The prompt has the accent while no pane has the keys. */
void dash_draw(DashState *dash, Canvas *canvas, const Theme *theme, Rect *prompt, Rect *keys)
{
    Rect areas[MOST_PANELS], frame;
    const Panel *panels[MOST_PANELS];
    canvas_clip(canvas, (Rect){ 0, 0, -1, -1 });
    canvas_fill(canvas, canvas->clip, theme->base);
    int n = dash_layout(dash, canvas->w, canvas->h, panels, areas, MOST_PANELS, &frame);
    note_shown(dash, panels, n);
    *prompt = *keys = (Rect){ 0, 0, 0, 0 };
    if (canvas->w < DASH_LEAST_W || canvas->h < DASH_LEAST_H) {
        draw_too_small(canvas, theme);
        return;
    }
    int head = header_rows(canvas->w);
    header_draw(dash, canvas, theme, head);
    if (!dash->tele && frame.y - head >= 6)
        draw_empty(dash, canvas, theme, (Rect){ 0, head, canvas->w, frame.y - head });
    for (int i = 0; i < n; i++)
        draw_panel(dash, canvas, theme, panels[i], areas[i]);
    Style border = theme->roles[dash->focus ? ROLE_BORDER : ROLE_FOCUS];
    canvas_frame(canvas, frame, border, theme->roles[ROLE_BRIGHT], "prompt", border, NULL);
    *prompt = inside(frame);
    *keys = (Rect){ 0, canvas->h - 1, canvas->w, 1 };
}
