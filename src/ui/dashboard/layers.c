// SPDX-License-Identifier: MIT
/* The model's layers, one a row: what comes out, what it costs, what its values look like, and whether it is healthy; below
 * them what the doctor measured and what to do about it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/keys.h"
#include "ui/panels.h"

#define BINS 16

/* Columns of a row from the left; 0 wide: no room for it. */
typedef struct Columns {
    int name, shape, weights, values, dead, gradient, health;
} Columns;

static int longest(const TeleLayers *layers, bool shape, int least, int most)
{
    for (int i = 0; i < layers->n; i++) {
        int w = canvas_width(shape ? layers->rows[i].shape : layers->rows[i].name);
        least = w > least ? w : least;
    }
    return least < most ? least : most;
}

/* What there is room for, the most telling first; a blank stands between columns. */
static Columns choose_columns(const TeleLayers *layers, int w)
{
    int name = longest(layers, false, 8, 20);
    Columns c = { .name = name < 10 ? name : 10, .health = 5 };
    int left = w - 2 - c.name - 1 - c.health;
    struct {
        int *column, width;
    } wanted[] = { { &c.shape, longest(layers, true, 6, 11) }, { &c.weights, 7 }, { &c.dead, 5 }, { &c.values, 8 }, { &c.gradient, 7 } };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (wanted[i].column == &c.gradient) { /* names come before it */
            int more = name - c.name < left ? name - c.name : left;
            c.name += more > 0 ? more : 0;
            left -= more > 0 ? more : 0;
        }
        if (left <= wanted[i].width)
            continue;
        *wanted[i].column = wanted[i].width;
        left -= wanted[i].width + 1;
    }
    if (c.values && left >= 8)
        c.values = BINS;
    return c;
}

/* In the same widths and alignment as the rows. */
static void draw_heads(PanelView *view, const Columns *c, int y)
{
    Style style = dash_style(view, ROLE_LABEL);
    int x = view->area.x + 2;
    canvas_text(view->canvas, x, y, c->name, style, "layer");
    x += c->name + 1;
    const struct {
        int width;
        const char *text;
        bool right;
    } rest[] = { { c->shape, "output", false }, { c->weights, "weights", true }, { c->values, "values", false },
                 { c->dead, "dead", true },     { c->gradient, "grad", true },   { c->health, "state", false } };
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        if (!rest[i].width)
            continue;
        if (rest[i].right)
            canvas_text_right(view->canvas, x, y, rest[i].width, style, rest[i].text);
        else
            canvas_text(view->canvas, x, y, rest[i].width, style, rest[i].text);
        x += rest[i].width + 1;
    }
}

/* Shares of the values as bars of one cell, as high as the most frequent. */
static void draw_histogram(Canvas *canvas, int x, int y, int width, Style style, const float shares[BINS])
{
    float bars[BINS], most = 0;
    int merge = BINS / width;
    for (int i = 0; i < width; i++) {
        bars[i] = 0;
        for (int j = 0; j < merge; j++)
            bars[i] += shares[i * merge + j] > 0 ? shares[i * merge + j] : 0;
        most = bars[i] > most ? bars[i] : most;
    }
    for (int i = 0; i < width && most > 0; i++) {
        int eighths = (int)(bars[i] / most * 8 + 0.5f);
        if (bars[i] > 0)
            canvas_put(canvas, x + i, y, style, 0x2580 + (uint32_t)(eighths > 0 ? eighths : 1));
    }
}

/* A word for each state, so that colour is not needed. */
static const char *health_word(Health health, Role *role)
{
    switch (health) {
    case HEALTH_GOOD:
        *role = ROLE_GOOD;
        return "ok";
    case HEALTH_WATCH:
        *role = ROLE_VALID;
        return "watch";
    case HEALTH_TROUBLE:
        *role = ROLE_TROUBLE;
        return "! bad";
    case HEALTH_UNKNOWN:
        break;
    }
    *role = ROLE_LABEL;
    return "-";
}

/* A role on the chosen row: its background, or where there is none its attributes. */
static Style on_row(const PanelView *view, Role role, bool chosen)
{
    Style style = dash_style(view, role), select = dash_style(view, ROLE_SELECT);
    if (chosen) {
        style.bg = select.bg;
        if (role == ROLE_LABEL) /* too dim there */
            style.fg = select.fg;
        if (select.bg == view->theme->base.bg)
            style.attrs = (uint8_t)((style.attrs & ~ATTR_DIM) | select.attrs);
    }
    return style;
}

/* What does not apply to a layer is a dim dash, so that columns stay columns. */
static void draw_row(PanelView *view, const Columns *c, const TeleLayer *row, int y, bool chosen)
{
    Canvas *canvas = view->canvas;
    Style name = chosen ? dash_style(view, ROLE_SELECT) : dash_style(view, ROLE_TEXT);
    Style plain = on_row(view, ROLE_TEXT, chosen), dim = on_row(view, ROLE_LABEL, chosen);
    char text[NUMBER_ROOM];
    int x = view->area.x;
    if (chosen)
        canvas_fill(canvas, (Rect){ x, y, view->area.w, 1 }, plain);
    canvas_put(canvas, x, y, name, chosen ? '>' : ' ');
    x += 2;
    canvas_text_cut(canvas, x, y, c->name, name, row->name);
    x += c->name + 1;
    if (c->shape) {
        canvas_text_cut(canvas, x, y, c->shape, dim, row->shape);
        x += c->shape + 1;
    }
    if (c->weights) {
        canvas_text_right(canvas, x, y, c->weights, row->n_params ? plain : dim, row->n_params ? number_count(text, row->n_params) : "-");
        x += c->weights + 1;
    }
    if (c->values) {
        Style bars = on_row(view, ROLE_TRAIN, chosen);
        bars.attrs &= (uint8_t)~ATTR_REVERSE; /* bars of the other colour would be what is left above them */
        canvas_fill(canvas, (Rect){ x, y, c->values, 1 }, bars);
        draw_histogram(canvas, x, y, c->values, bars, row->histogram);
        x += c->values + 1;
    }
    if (c->dead) {
        bool known = row->dead >= 0;
        Style style = !known || row->dead < 0.005f ? dim : row->health == HEALTH_TROUBLE ? on_row(view, ROLE_TROUBLE, chosen) : plain;
        snprintf(text, sizeof text, known ? "%.0f %%" : "-", 100 * (double)row->dead);
        canvas_text_right(canvas, x, y, c->dead, style, text);
        x += c->dead + 1;
    }
    if (c->gradient) {
        canvas_text_right(canvas, x, y, c->gradient, row->gradient >= 0 ? plain : dim, row->gradient >= 0 ? number_short(text, (double)row->gradient) : "-");
        x += c->gradient + 1;
    }
    Role role;
    const char *word = health_word(row->health, &role);
    canvas_text(canvas, x, y, c->health, on_row(view, role, chosen), word);
}

/* The doctor's sentence; returns the rows that it takes. */
static int draw_advice(PanelView *view, const TeleLayers *layers)
{
    Rect a = view->area;
    if (!layers->advice[0] || a.h < 7)
        return 0;
    int most = a.h >= 12 ? 3 : 2, lines = words_draw(view->canvas, 0, 0, a.w - 3, 0, view->theme->base, layers->advice);
    lines = lines > most ? most : lines;
    int y = a.y + a.h - lines;
    canvas_put(view->canvas, a.x, y, dash_style(view, ROLE_TROUBLE), '!');
    words_draw(view->canvas, a.x + 2, y, a.w - 3, lines, dash_style(view, ROLE_TEXT), layers->advice);
    return lines + 1;
}

static void draw(PanelView *view)
{
    const TeleLayers *layers = view->dash->layers;
    Rect a = view->area;
    if (!layers || layers->n == 0) {
        words_draw(view->canvas, a.x + 2, a.y + a.h / 2, a.w - 4, a.h, dash_style(view, ROLE_LABEL), "The layers are looked at during the next step.");
        return;
    }
    Columns columns = choose_columns(layers, a.w - 1);
    int rows = a.h - 1 - draw_advice(view, layers), chosen = view->dash->layer;
    chosen = chosen < 0 ? 0 : chosen >= layers->n ? layers->n - 1 : chosen;
    int first = chosen - rows / 2 > layers->n - rows ? layers->n - rows : chosen - rows / 2; /* the chosen one in the middle */
    first = first < 0 ? 0 : first;
    bool airy = layers->n * 2 - 1 <= rows && a.h >= 24; /* much room: every other line */
    draw_heads(view, &columns, a.y);
    for (int i = first, y = a.y + 1; i < layers->n && y < a.y + 1 + rows; i++, y += 1 + airy)
        draw_row(view, &columns, &layers->rows[i], y, i == chosen);
}

static void caption(const DashState *dash, int room, char title[DASH_CAPTION], char state[DASH_CAPTION])
{
    int64_t sum = 0;
    char text[NUMBER_ROOM];
    (void)room;
    (void)title;
    if (!dash->layers)
        return;
    for (int i = 0; i < dash->layers->n; i++)
        sum += dash->layers->rows[i].n_params;
    snprintf(state, DASH_CAPTION, "%s weights", number_count(text, sum));
}

static bool key(DashState *dash, int code)
{
    int n = dash->layers ? dash->layers->n : 0;
    if (n == 0 || (code != KEY_UP && code != KEY_DOWN && code != KEY_HOME && code != KEY_END))
        return false;
    int to = code == KEY_HOME ? 0 : code == KEY_END ? n - 1 : dash->layer + (code == KEY_DOWN ? 1 : -1);
    dash->layer = to < 0 ? 0 : to >= n ? n - 1 : to;
    return true;
}

const Panel panel_layers = {
    .name = "layers",
    .title = "layers",
    .help = "the layers: output, weights, how their values are spread, dead units, health; up and down choose one",
    .order = 3,
    .least_w = 24,
    .least_h = 4,
    .picture = PICTURE_LAYERS,
    .caption = caption,
    .draw = draw,
    .key = key,
};
