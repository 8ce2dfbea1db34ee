// SPDX-License-Identifier: MIT
#include "ui/panels.h"

static void caption(const DashState *dash, int room, char title[DASH_CAPTION], char state[DASH_CAPTION])
{
    curves_caption(dash, true, dash->focus && dash->focus == dash_panel("metric"), room, title, state);
}

static void draw(PanelView *view)
{
    curves_draw(view, true);
}

static bool key(DashState *dash, int code)
{
    return curves_key(dash, true, code);
}

const Panel panel_metric = {
    .name = "metric",
    .title = "metric",
    .help = "how good the model is; left and right show other metrics, alone or those of one kind together",
    .order = 2,
    .least_w = 30,
    .least_h = 4,
    .picture = PICTURE_KINDS,
    .caption = caption,
    .draw = draw,
    .key = key,
};
