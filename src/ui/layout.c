// SPDX-License-Identifier: MIT
/* Which panes stand where, by size alone: nothing moves while numbers change. Header on top, keys at the bottom, the prompt
 * above them; the panes share the body between:
 *
 *   low body     left column: loss [, metric], strip of activations · [layers ·] right column: confusion
 *   higher       columns charts · [layers ·] confusion, below them a row of activations
 *   narrow, tall the layers get a row of their own
 *
 * What a run does not have (a confusion matrix without classes) leaves its room to its neighbours. */
#include "ui/panels.h"

#define WIDE 150     /* columns from which three columns stand side by side */
#define HIGH 24      /* rows of the body from which activations get a row of their own */
#define TALL 40      /* rows of the body from which a narrow screen has a row for layers */
#define STRIP 6      /* rows of a strip of activations: maps of 8 pixels and a frame */
#define LEAST_CHART 7

typedef struct Layout {
    const DashState *dash;
    const Panel **panels;
    Rect *areas;
    int n, most;
} Layout;

static const Panel *wanted(const Layout *l, const char *name)
{
    const Panel *panel = dash_panel(name);
    return panel && dash_has(l->dash, panel) ? panel : NULL;
}

static void place(Layout *l, const Panel *panel, Rect area)
{
    if (!panel || area.w < 3 || area.h < 3 || l->n >= l->most)
        return;
    l->panels[l->n] = panel;
    l->areas[l->n++] = area;
}

static Rect cut_left(Rect *area, int w)
{
    Rect left = { area->x, area->y, w, area->h };
    area->x += w;
    area->w -= w;
    return left;
}

static Rect cut_top(Rect *area, int h)
{
    Rect top = { area->x, area->y, area->w, h };
    area->y += h;
    area->h -= h;
    return top;
}

static int clamp(int v, int least, int most)
{
    return v > most ? most : v < least ? least : v;
}

/* Loss above the metric where both have room, else the loss alone. */
static void place_charts(Layout *l, Rect area)
{
    const Panel *metric = wanted(l, "metric");
    if (metric && area.h >= 2 * LEAST_CHART) {
        place(l, wanted(l, "loss"), cut_top(&area, (area.h + 1) / 2));
        place(l, metric, area);
    } else {
        place(l, wanted(l, "loss"), area);
    }
}

/* Columns that a confusion matrix wants: names, counts, frame. */
static int confusion_width(const DashState *dash, int w)
{
    int n = dash->tele ? telemetry_plan(dash->tele)->n_classes : 0, cell = w >= 110 ? 4 : 3, most = w >= WIDE ? w * 3 / 10 : w * 9 / 20;
    int want = 4 + (w >= 110 ? 2 : 0) + cell * n;
    return clamp(want, 34, most > 34 ? most : 34);
}

/* Charts, layers (where `layers` is given) and confusion side by side. */
static void place_columns(Layout *l, Rect area, const Panel *layers)
{
    const Panel *confusion = wanted(l, "confusion");
    int w = area.w, right = confusion ? confusion_width(l->dash, w) : 0;
    if (layers) {
        int middle = clamp(w - w * 3 / 8 - right, 44, confusion ? 80 : w / 2); /* the curves have half of the width at least */
        place_charts(l, cut_left(&area, w - right - middle));
        place(l, layers, cut_left(&area, middle));
    } else {
        place_charts(l, cut_left(&area, w - right));
    }
    place(l, confusion, area);
}

/* A low body: the strip of activations under the charts. */
static void place_low(Layout *l, Rect body)
{
    const Panel *confusion = wanted(l, "confusion"), *activations = wanted(l, "activations");
    int right = confusion ? confusion_width(l->dash, body.w) : 0;
    bool wide = body.w >= WIDE;
    int middle = wide ? clamp(body.w * 3 / 10, 44, 60) : 0;
    if (!wide && !confusion && body.w >= 96) { /* nothing to the right: the layers fit there */
        middle = 48;
        wide = true;
    }
    Rect left = cut_left(&body, body.w - right - middle);
    Rect charts = cut_top(&left, left.h - (activations ? STRIP + (left.h >= 18 ? (left.h - 14) / 4 : 0) : 0));
    place_charts(l, charts);
    place(l, activations, left);
    if (wide)
        place(l, wanted(l, "layers"), cut_left(&body, middle));
    place(l, confusion, body);
}

/* A row of activations: whole rows of maps of 8 pixels with their labels, at most about a third of the body. */
static int strip_height(int body)
{
    int rows = (body * 3 / 8 - 2) / 5;
    return 2 + 5 * clamp(rows, 1, 6);
}

static void place_high(Layout *l, Rect body)
{
    const Panel *activations = wanted(l, "activations"), *layers = wanted(l, "layers");
    Rect low = body;
    bool wide = body.w >= WIDE || (body.w >= 100 && !wanted(l, "confusion"));
    Rect top = cut_top(&low, body.h - strip_height(body.h));
    if (!wide && body.h >= TALL && layers) {
        int rows = clamp(top.h * 9 / 20, 10, 22);
        Rect upper = cut_top(&top, top.h - rows);
        place_columns(l, upper, NULL);
        place(l, layers, top);
    } else {
        place_columns(l, top, wide ? layers : NULL);
    }
    place(l, activations, low);
}

/* Projector: the pane that has the keys (else the loss) and one more that says what it means. */
static void place_big(Layout *l, Rect body)
{
    const Panel *first = l->dash->focus && dash_has(l->dash, l->dash->focus) ? l->dash->focus : wanted(l, "loss");
    static const char *const others[] = { "activations", "metric", "confusion", "loss" };
    const Panel *second = NULL;
    for (int i = 0; i < 4 && !second; i++)
        second = wanted(l, others[i]) != first ? wanted(l, others[i]) : NULL;
    if (body.w >= 3 * body.h) {
        place(l, first, cut_left(&body, body.w / 2));
        place(l, second, body);
    } else if (body.h >= 2 * LEAST_CHART) {
        place(l, first, cut_top(&body, body.h / 2));
        place(l, second, body);
    } else {
        place(l, first, body);
    }
}

/* Outer rows of the prompt's pane. */
static int prompt_height(const DashState *dash, int h, int head)
{
    int want = dash->prompt_rows > 0 ? dash->prompt_rows + 2 : clamp(7 + (h - DASH_LEAST_H) / 7, 7, 16);
    int room = h - head - 1;
    if (!dash->tele && dash->prompt_rows <= 0)
        return room / 2;
    return want >= room ? room : clamp(want, 3, room - LEAST_CHART); /* all of it, or a pane's room is left */
}

int dash_layout(const DashState *dash, int w, int h, const Panel *panels[], Rect areas[], int most, Rect *prompt)
{
    *prompt = (Rect){ 0, 0, 0, 0 };
    if (w < DASH_LEAST_W || h < DASH_LEAST_H)
        return 0;
    Layout l = { .dash = dash, .panels = panels, .areas = areas, .most = most };
    int head = header_rows(w), low = prompt_height(dash, h, head);
    Rect body = { 0, head, w, h - head - 1 - low };
    *prompt = (Rect){ 0, h - 1 - low, w, low };
    if (!dash->tele)
        return 0;
    if (dash->zoom && dash_has(dash, dash->zoom))
        place(&l, dash->zoom, body);
    else if (dash->big)
        place_big(&l, body);
    else if (body.h < LEAST_CHART + STRIP) /* the user wants a tall prompt */
        place(&l, wanted(&l, "loss"), body);
    else if (body.h < HIGH)
        place_low(&l, body);
    else
        place_high(&l, body);
    return l.n;
}
