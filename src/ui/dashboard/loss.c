// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdio.h>

#include "ui/panels.h"

/* Where there is no pane for it, the metric's values stand in the border: "accuracy 98.4 % · 97.3 %". */
static void caption(const DashState *dash, int room, char title[DASH_CAPTION], char state[DASH_CAPTION])
{
    const TelePlan *plan = telemetry_plan(dash->tele);
    const Panel *const *all;
    int n = dash_panels(&all);
    int metric = kinds_second(plan);
    bool metric_shown = false, focused = dash->focus && dash->focus == dash_panel("loss");
    curves_caption(dash, false, focused, room, title, state);
    for (int i = 0; i < n; i++)
        metric_shown = metric_shown || (all[i] == dash_panel("metric") && dash->shown >> i & 1);
    if (metric_shown || focused || metric < 0 || isnan(dash->now.metrics[metric]))
        return;
    char now[NUMBER_ROOM], valid[NUMBER_ROOM];
    curves_text(dash, metric, dash->now.metrics[metric], now);
    curves_text(dash, metric, dash->now.validation[metric], valid);
    if (isnan(dash->now.validation[metric]) || room < 38)
        snprintf(state, DASH_CAPTION, "%.31s %s", plan->metrics[metric], now);
    else
        snprintf(state, DASH_CAPTION, "%.31s %s ·%s", plan->metrics[metric], now, valid);
}

static void draw(PanelView *view)
{
    curves_draw(view, false);
}

static bool key(DashState *dash, int code)
{
    return curves_key(dash, false, code);
}

const Panel panel_loss = {
    .name = "loss",
    .title = "loss",
    .help = "how wrong the model is: training (solid) and validation (dashed); left and right show other curves",
    .order = 1,
    .least_w = 30,
    .least_h = 4,
    .picture = PICTURE_KINDS,
    .caption = caption,
    .draw = draw,
    .key = key,
};
