// SPDX-License-Identifier: MIT
/* What the chosen layer makes of the chosen sample: the input, what the model says to it, and the layer's feature maps as
 * pictures, each scaled to its own range (which stands under it where there is room). A layer without maps shows its units
 * as bars. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/keys.h"
#include "ui/panels.h"

#define CHANCES 24 /* columns of the answers */

static int best_class(const TeleProbe *probe)
{
    int best = 0;
    for (int i = 1; i < probe->n_classes; i++)
        if (probe->chances[i] > probe->chances[best])
            best = i;
    return best;
}

static bool has_answer(const TeleProbe *probe)
{
    return probe->chances && probe->n_classes > 0;
}

/* ---- the answers ---- */

/* The k-th most likely class; ties by number. */
static int ranked_class(const TeleProbe *probe, int k)
{
    for (int i = 0; i < probe->n_classes; i++) {
        int before = 0;
        for (int j = 0; j < probe->n_classes; j++)
            before += probe->chances[j] > probe->chances[i] || (probe->chances[j] == probe->chances[i] && j < i);
        if (before == k)
            return i;
    }
    return 0; /* only for chances that are NaN */
}

/* Whole percent; what is there but small says so. */
static void percent_of(float chance, char out[NUMBER_ROOM])
{
    if (isnan(chance))
        snprintf(out, NUMBER_ROOM, "NaN");
    else if (chance > 0 && chance < 0.005f)
        snprintf(out, NUMBER_ROOM, "<1 %%");
    else
        snprintf(out, NUMBER_ROOM, "%.0f %%", 100 * (double)chance);
}

/* The likeliest classes with bars, and whether the first is right, in a word. */
static void draw_answers(PanelView *view, const TeleProbe *probe, int x, int y, int rows)
{
    Canvas *canvas = view->canvas;
    int best = best_class(probe), n = rows - 1 < probe->n_classes ? rows - 1 : probe->n_classes, name = 2;
    n = n > 10 ? 10 : n;
    bool known = probe->label >= 0 && probe->label < probe->n_classes, right = probe->label == best;
    Style sure = dash_style(view, !known ? ROLE_BRIGHT : right ? ROLE_GOOD : ROLE_TROUBLE);
    int at = x + canvas_text(canvas, x, y, 5, dash_style(view, ROLE_LABEL), "says ");
    at += canvas_text_cut(canvas, at, y, 9, dash_style(view, ROLE_BRIGHT), probe->labels[best]) + 1;
    if (known && right)
        canvas_text(canvas, at, y, x + CHANCES - at, sure, "right");
    else if (known)
        canvas_textf(canvas, at, y, x + CHANCES - at, sure, "! it is %s", probe->labels[probe->label]);
    for (int i = 0; i < probe->n_classes; i++) {
        int w = canvas_width(probe->labels[i]);
        name = w > name ? w : name;
    }
    name = name > 9 ? 9 : name;
    for (int k = 0; k < n; k++) {
        int i = ranked_class(probe, k);
        char text[NUMBER_ROOM];
        if (k >= 3 && !(probe->chances[i] >= 0.005f)) /* the rest says nothing */
            break;
        percent_of(probe->chances[i], text);
        canvas_text_cut(canvas, x, y + 1 + k, name, dash_style(view, k == 0 ? ROLE_BRIGHT : ROLE_LABEL), probe->labels[i]);
        words_bar(canvas, x + name + 1, y + 1 + k, CHANCES - name - 8, k == 0 ? sure : dash_style(view, ROLE_LABEL), (double)probe->chances[i]);
        canvas_text_right(canvas, x + CHANCES - 6, y + 1 + k, 5, dash_style(view, k == 0 ? ROLE_TEXT : ROLE_LABEL), text);
    }
}

/* ---- maps ---- */

/* The range that was scaled; where only one number fits, its upper end (after a relu the lower is 0). */
static void range_text(const TeleProbe *probe, int i, int width, char out[64])
{
    char low[NUMBER_ROOM], high[NUMBER_ROOM];
    number_short(low, (double)probe->low[i]);
    number_short(high, (double)probe->high[i]);
    if (width >= 14)
        snprintf(out, 64, "%.15s to %.15s", low, high);
    else
        snprintf(out, 64, "%s", high);
}

static void draw_map(PanelView *view, const TeleProbe *probe, int i, int x, int y, const Tile *tile, bool labelled)
{
    size_t size = (size_t)probe->h * (size_t)probe->w;
    tile_draw(view->canvas, view->theme, x, y, tile, RAMP_HEAT, probe->maps + (size_t)i * size, probe->h, probe->w, 1);
    if (!labelled)
        return;
    char text[64], number[16];
    range_text(probe, i, tile->w, text);
    snprintf(number, sizeof number, "%d", i);
    canvas_text(view->canvas, x, y + tile->h, tile->w, dash_style(view, ROLE_LABEL), number);
    if ((int)strlen(number) + 1 + (int)strlen(text) <= tile->w)
        canvas_text_right(view->canvas, x, y + tile->h, tile->w, dash_style(view, ROLE_TEXT), text);
}

/* Maps side by side and one above the other with a frame of one empty cell. */
typedef struct Grid {
    Tile tile;
    int across, down;
    bool labelled;
} Grid;

/* How many maps fit, and whether their numbers fit under them. */
static bool fit_grid(PanelView *view, const TeleProbe *probe, Rect area, int most_h, bool large, Grid *grid)
{
    if (!tile_fit(view->canvas, view->theme, probe->h, probe->w, area.w, most_h, large, &grid->tile))
        return false;
    int high = grid->tile.h + 1;
    grid->across = (area.w + 1) / (grid->tile.w + 1);
    grid->labelled = high <= area.h;
    grid->down = grid->labelled ? area.h / high : 1;
    if (grid->labelled && grid->down == 1 && (area.h + 1) / high > 1) { /* two rows of maps are worth more than one with labels */
        grid->labelled = false;
        grid->down = (area.h + 1) / high;
    }
    return true;
}

/* Twice as large where all maps fit so, or on a projector; flatter where only few would fit. */
static bool choose_grid(PanelView *view, const TeleProbe *probe, Rect area, Grid *grid)
{
    Grid large;
    if (!fit_grid(view, probe, area, area.h, false, grid))
        return false;
    if (grid->tile.half && fit_grid(view, probe, area, area.h, true, &large) && large.tile.shrink == 1 &&
        (view->dash->big || large.across * large.down >= probe->n_maps)) {
        *grid = large;
    } else if (!grid->tile.half && !grid->tile.pairs && grid->across * grid->down < 4 && grid->across * grid->down < probe->n_maps) {
        return fit_grid(view, probe, area, (grid->tile.h + 1) / 2, false, grid);
    }
    return true;
}

/* Scrolling goes on by rows. */
static void draw_maps(PanelView *view, const TeleProbe *probe, Rect area)
{
    Grid grid;
    if (!choose_grid(view, probe, area, &grid))
        return;
    view->dash->shrunk = grid.tile.shrink;
    bool scrolls = view->focused || view->dash->zoom;
    int rows = (probe->n_maps + grid.across - 1) / grid.across, from = scrolls ? view->dash->scroll : 0;
    from = from > rows - grid.down ? rows - grid.down : from;
    from = from < 0 ? 0 : from;
    if (scrolls)
        view->dash->scroll = from;
    for (int k = 0; k < grid.across * grid.down && from * grid.across + k < probe->n_maps; k++) {
        int x = area.x + k % grid.across * (grid.tile.w + 1), y = area.y + k / grid.across * (grid.tile.h + 1);
        draw_map(view, probe, from * grid.across + k, x, y, &grid.tile, grid.labelled);
    }
}

/* ---- units of a layer without maps ---- */

/* Bars of an eighth of a cell, `high` rows each, in lines of units; the number of the first unit stands before each line. */
static void draw_units(PanelView *view, const TeleProbe *probe, Rect area)
{
    Canvas *canvas = view->canvas;
    int number = 5, across = area.w - number;
    if (across < 4)
        return;
    across = across >= probe->w ? probe->w : across / 10 * 10 > 0 ? across / 10 * 10 : across;
    int lines = (probe->w + across - 1) / across, high = (area.h + 1) / lines - 1;
    high = high < 1 ? 1 : high > 4 ? 4 : high;
    bool gap = lines * (high + 1) - 1 <= area.h;
    Style style = dash_style(view, ROLE_TRAIN), dim = dash_style(view, ROLE_LABEL);
    for (int i = 0; i < probe->w; i++) {
        int line = i / across, x = area.x + number + i % across, y = area.y + line * (high + gap) + high - 1;
        if (y >= area.y + area.h)
            return;
        if (i % across == 0)
            canvas_textf(canvas, area.x, y, number, dim, "%4d", i);
        double v = (double)probe->maps[i];
        int eighths = v > 0 ? (int)((v < 1 ? v : 1) * high * 8 + 0.5) : 0;
        if (eighths == 0)
            canvas_put(canvas, x, y, dim, 0xB7);
        for (int k = 0; eighths > 0; k++, eighths -= 8)
            canvas_put(canvas, x, y - k, style, 0x2580 + (uint32_t)(eighths < 8 ? eighths : 8));
    }
}

/* A dense layer: units in a row, no picture. */
static bool is_vector(const TeleProbe *probe)
{
    return probe->h <= 1 && probe->n_maps == 1;
}

/* ---- the pane ---- */

static void draw_input(PanelView *view, const TeleProbe *probe, int x, int y, const Tile *tile, bool labelled)
{
    tile_draw(view->canvas, view->theme, x, y, tile, RAMP_GREY, probe->input, probe->in_h, probe->in_w, probe->in_c == 3 ? 3 : 1);
    if (labelled)
        canvas_text(view->canvas, x, y + tile->h, tile->w, dash_style(view, ROLE_LABEL), "input");
}

/* The input may be an image of many channels: what a tile knows are 1 and 3. */
static bool drawable_input(const TeleProbe *probe)
{
    return probe->input && probe->in_h > 0 && (probe->in_c == 1 || probe->in_c == 3);
}

static void draw(PanelView *view)
{
    const TeleProbe *probe = view->dash->probe;
    Rect a = view->area;
    if (!probe) {
        words_draw(view->canvas, a.x + 2, a.y + a.h / 2, a.w - 4, a.h, dash_style(view, ROLE_LABEL), "A sample is sent through the model during the next step.");
        return;
    }
    bool spacious = a.w >= 60;
    int pad = spacious ? 1 : 0;
    Rect rest = { a.x + pad, a.y, a.w - 2 * pad, a.h };
    Tile tile;
    if (drawable_input(probe) && tile_fit(view->canvas, view->theme, probe->in_h, probe->in_w, a.w / 3, rest.h, view->dash->big, &tile)) {
        draw_input(view, probe, rest.x, rest.y, &tile, tile.h < rest.h);
        rest.x += tile.w + 1 + pad;
        rest.w -= tile.w + 1 + pad;
    }
    if (has_answer(probe) && spacious && a.h >= 3) {
        draw_answers(view, probe, rest.x, rest.y, rest.h);
        rest.x += CHANCES + 1;
        rest.w -= CHANCES + 1;
    }
    if (probe->n_maps < 1 || probe->w < 1)
        return;
    if (is_vector(probe))
        draw_units(view, probe, rest);
    else
        draw_maps(view, probe, rest);
}

static void caption(const DashState *dash, int room, char title[DASH_CAPTION], char state[DASH_CAPTION])
{
    const TeleProbe *probe = dash->probe;
    if (!probe)
        return;
    bool maps = probe->n_maps > 0 && !is_vector(probe), narrow = room < 80;
    char size[NUMBER_ROOM] = "";
    if (maps && dash->shrunk > 1) /* the greatest of each block of pixels is drawn */
        snprintf(size, sizeof size, narrow ? ", 1/%d" : " at 1/%d size", dash->shrunk);
    if (narrow && maps)
        snprintf(title, DASH_CAPTION, "%.31s · own ranges%s", probe->layer_name, size);
    else
        snprintf(title, DASH_CAPTION, "activations · %.31s", probe->layer_name);
    int left = room - canvas_width(title) - 4;
    char chance[NUMBER_ROOM];
    if (left < 52 && has_answer(probe)) {
        int best = best_class(probe);
        percent_of(probe->chances[best], chance);
        snprintf(state, DASH_CAPTION, "says %.12s  %s%s", probe->labels[best], chance, probe->label >= 0 && probe->label != best ? " !" : "");
        return;
    }
    int n = snprintf(state, DASH_CAPTION, "sample %d of %d", probe->sample + 1, probe->n_samples);
    if (is_vector(probe)) {
        char low[NUMBER_ROOM], high[NUMBER_ROOM];
        snprintf(state + n, DASH_CAPTION - (size_t)n, " · %d units, %s to %s", probe->w, number_short(low, (double)probe->low[0]), number_short(high, (double)probe->high[0]));
    } else {
        snprintf(state + n, DASH_CAPTION - (size_t)n, probe->n_maps == 1 ? " · %d map%s, in its own range" : " · %d maps%s, each in its own range", probe->n_maps, size);
    }
}

static bool key(DashState *dash, int code)
{
    int by = code == KEY_DOWN ? 1 : code == KEY_UP ? -1 : 0, sample = code == KEY_RIGHT ? 1 : code == KEY_LEFT ? -1 : 0;
    int n = dash->probe ? dash->probe->n_samples : 0;
    if (n == 0 || (!by && !sample))
        return false;
    dash->scroll = dash->scroll + by < 0 ? 0 : dash->scroll + by;
    dash->sample = (dash->sample + sample + n) % n;
    return true;
}

const Panel panel_activations = {
    .name = "activations",
    .title = "activations",
    .help = "what the chosen layer makes of a sample, and what the model says to it; left and right change the sample",
    .order = 5,
    .least_w = 20,
    .least_h = 4,
    .picture = PICTURE_PROBE,
    .caption = caption,
    .draw = draw,
    .key = key,
};
