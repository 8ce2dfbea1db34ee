// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "ui/keys.h"
#include "ui/panels.h"

static void caption(const DashState *dash, int room, char title[DASH_CAPTION], char state[DASH_CAPTION])
{
    const TelePlan *plan = telemetry_plan(dash->tele);
    int metric = curves_metric(dash);
    snprintf(title, DASH_CAPTION, "%.31s", plan->metrics[metric]);
    if (plan->n_metrics > 2)
        snprintf(state, DASH_CAPTION, "%d of %d", metric, plan->n_metrics - 1);
    else
        curves_caption(dash, metric, room, state);
}

static void draw(PanelView *view)
{
    curves_draw(view, curves_metric(view->dash));
}

/* The next or previous metric, round and round. */
static bool key(DashState *dash, int code)
{
    int n = dash->tele ? telemetry_plan(dash->tele)->n_metrics - 1 : 0;
    int by = code == 'm' || code == KEY_RIGHT ? 1 : code == 'M' || code == KEY_LEFT ? n - 1 : 0;
    if (n < 1 || by == 0)
        return false;
    dash->metric = (curves_metric(dash) - 1 + by) % n + 1;
    return true;
}

const Panel panel_metric = {
    .name = "metric",
    .title = "metric",
    .help = "how good the model is; m shows the next metric where there are several",
    .order = 2,
    .least_w = 30,
    .least_h = 4,
    .picture = PICTURE_KINDS,
    .caption = caption,
    .draw = draw,
    .key = key,
};
