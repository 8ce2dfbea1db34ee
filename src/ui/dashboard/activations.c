// SPDX-License-Identifier: MIT
/* What the chosen layer makes of the chosen sample: the input, what the model says to it, and the layer's feature maps as
 * pictures (ui/maps.c). A layer without maps shows its units as bars. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/keys.h"
#include "ui/panels.h"

#define CHANCES 24 /* columns of the answers */
#define NUMBERS 18 /* columns of an input of plain numbers */

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

/* ---- units of a layer without maps ---- */

#define COUNTER 5 /* columns of the number before a line of units */

/* One unit: a bar of an eighth of a cell, `high` rows at most, a dot for nothing. */
static void draw_unit(PanelView *view, double v, int x, int y, int width, int high)
{
    int eighths = v > 0 ? (int)((v < 1 ? v : 1) * high * 8 + 0.5) : 0;
    if (eighths == 0)
        canvas_put(view->canvas, x, y, dash_style(view, ROLE_LABEL), 0xB7);
    for (int k = 0; eighths > 0; k++, eighths -= 8)
        for (int j = 0; j < width; j++)
            canvas_put(view->canvas, x + j, y - k, dash_style(view, ROLE_TRAIN), 0x2580 + (uint32_t)(eighths < 8 ? eighths : 8));
}

/* Lines of units, all in one and broad where they are few; the number of the first unit stands before each line. */
static void draw_units(PanelView *view, const TeleProbe *probe, Rect area)
{
    int room = area.w - COUNTER, pitch = room / probe->w;
    if (room < 4)
        return;
    pitch = pitch < 1 ? 1 : pitch > 6 ? 6 : pitch;
    int across = room >= probe->w ? probe->w : room / 10 * 10 > 0 ? room / 10 * 10 : room;
    int lines = (probe->w + across - 1) / across, high = (area.h + 1) / lines - 1, most = pitch > 1 ? 8 : 4;
    high = high < 1 ? 1 : high > most ? most : high;
    bool gap = lines * (high + 1) - 1 <= area.h;
    for (int i = 0; i < probe->w; i++) {
        int line = i / across, x = area.x + COUNTER + i % across * pitch, y = area.y + line * (high + gap) + high - 1;
        if (y >= area.y + area.h)
            return;
        if (i % across == 0)
            canvas_textf(view->canvas, area.x, y, COUNTER, dash_style(view, ROLE_LABEL), "%4d", i);
        draw_unit(view, (double)probe->maps[i], x, y, pitch > 2 ? pitch - 1 : pitch, high);
    }
}

/* A dense layer: units in a row, no picture. */
static bool is_vector(const TeleProbe *probe)
{
    return probe->h <= 1 && probe->n_maps == 1 && !probe->heads;
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

static bool has_maps(const TeleProbe *probe)
{
    return probe->n_maps > 0 && probe->w > 0 && !is_vector(probe);
}

/* Tokens, too, stand as numbers: what they mean, the run does not know. */
static void draw_numbers(PanelView *view, const TeleProbe *probe, int x)
{
    Rect a = view->area;
    char text[1024] = "", number[NUMBER_ROOM];
    size_t at = 0;
    for (int i = 0; i < probe->n_numbers && at + 2 * sizeof number < sizeof text; i++) {
        double v = (double)probe->numbers[i];
        bool whole = v == floor(v) && fabs(v) < 1e9;
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? " " : "", whole ? number_fixed(number, v, 0) : number_short(number, v));
    }
    canvas_textf(view->canvas, x, a.y, NUMBERS, dash_style(view, ROLE_LABEL), "input: %d number%s", probe->n_numbers, probe->n_numbers == 1 ? "" : "s");
    words_draw(view->canvas, x, a.y + 1, NUMBERS, a.h - 1, dash_style(view, ROLE_TEXT), text);
}

/* What stands side by side: input, answers, maps or units. */
typedef struct Parts {
    Tile input; /* scale 0: none */
    int numbers, answers; /* x; 0: none */
    Rect rest;
} Parts;

static Parts split(const PanelView *view, const TeleProbe *probe, const Tile *input)
{
    Rect a = view->area;
    bool spacious = a.w >= 60;
    int pad = spacious ? 1 : 0;
    Parts parts = { .rest = { a.x + pad, a.y, a.w - 2 * pad, a.h } };
    if (input) {
        parts.input = *input;
        parts.rest.x += input->w + 1 + pad;
        parts.rest.w -= input->w + 1 + pad;
    }
    if (probe->n_numbers > 0 && a.w >= 90 && a.h >= 3) {
        parts.numbers = parts.rest.x;
        parts.rest.x += NUMBERS + 2;
        parts.rest.w -= NUMBERS + 2;
    }
    if (has_answer(probe) && spacious && a.h >= 3) {
        parts.answers = parts.rest.x;
        parts.rest.x += CHANCES + 1;
        parts.rest.w -= CHANCES + 1;
    }
    return parts;
}

/* The input as large as it can be without a map less beside it. */
static Parts choose_parts(const PanelView *view, const TeleProbe *probe)
{
    Rect a = view->area;
    Tile tile;
    if (!drawable_input(probe) || !tile_fit(view->canvas, view->theme, probe->in_h, probe->in_w, a.w / 3, a.h, 1, &tile))
        return split(view, probe, NULL);
    Parts best = split(view, probe, &tile);
    int least = maps_count(view, probe, best.rest), widest = has_maps(probe) ? a.w / 3 : a.w / 4;
    while (tile_fit(view->canvas, view->theme, probe->in_h, probe->in_w, widest, a.h - 1, tile.scale + 1, &tile)) {
        Parts larger = split(view, probe, &tile);
        if (has_maps(probe) && maps_count(view, probe, larger.rest) < least && !(view->dash->big && tile.scale == 2))
            break;
        best = larger;
    }
    return best;
}

static void draw(PanelView *view)
{
    const TeleProbe *probe = view->dash->probe;
    Rect a = view->area;
    view->dash->maps_shown = 0;
    if (!probe) {
        words_draw(view->canvas, a.x + 2, a.y + a.h / 2, a.w - 4, a.h, dash_style(view, ROLE_LABEL), "A sample is sent through the model during the next step.");
        return;
    }
    Parts parts = choose_parts(view, probe);
    int x = a.x + (a.w >= 60 ? 1 : 0);
    if (parts.input.scale)
        draw_input(view, probe, x, a.y, &parts.input, parts.input.h < a.h);
    if (parts.numbers)
        draw_numbers(view, probe, parts.numbers);
    if (parts.answers)
        draw_answers(view, probe, parts.answers, a.y, a.h);
    if (has_maps(probe))
        maps_draw(view, probe, parts.rest);
    else if (probe->n_maps > 0 && probe->w > 0)
        draw_units(view, probe, parts.rest);
}

/* ---- the border ---- */

/* The answer, where the border has little room. */
static void narrow_state(const TeleProbe *probe, char state[DASH_CAPTION])
{
    char chance[NUMBER_ROOM];
    int best = best_class(probe);
    percent_of(probe->chances[best], chance);
    snprintf(state, DASH_CAPTION, "says %.12s  %s%s", probe->labels[best], chance, probe->label >= 0 && probe->label != best ? " !" : "");
}

/* The fullest title that leaves `room` columns of the border free of it. */
static void narrow_title(const DashState *dash, int room, char title[DASH_CAPTION])
{
    const TeleProbe *probe = dash->probe;
    char size[NUMBER_ROOM] = "";
    int n = probe->n_maps, shown = dash->maps_shown;
    const char *what = probe->heads ? "head" : "map";
    if (dash->shrunk > 1)
        snprintf(size, sizeof size, ", 1/%d", dash->shrunk);
    if (shown == n && probe->heads)
        snprintf(title, DASH_CAPTION, "%.31s · %d heads, own ranges%s", probe->layer_name, n, size);
    else if (shown == n)
        snprintf(title, DASH_CAPTION, "%.31s · own ranges%s", probe->layer_name, size);
    else
        snprintf(title, DASH_CAPTION, "%.31s · %d of %d %ss, own ranges%s", probe->layer_name, shown, n, what, size);
    if (canvas_width(title) > room)
        snprintf(title, DASH_CAPTION, "%.31s · %d of %d, own ranges%s", probe->layer_name, shown, n, size);
    if (canvas_width(title) > room)
        snprintf(title, DASH_CAPTION, "%.31s %d/%d · own ranges%s", probe->layer_name, shown, n, size);
    if (canvas_width(title) > room)
        snprintf(title, DASH_CAPTION, "%.31s %d/%d%s", probe->layer_name, shown, n, size);
}

/* Units, or maps: all of them, or which. */
static void wide_state(const DashState *dash, char state[DASH_CAPTION])
{
    const TeleProbe *probe = dash->probe;
    char low[NUMBER_ROOM], high[NUMBER_ROOM], size[NUMBER_ROOM] = "", which[64] = "";
    if (is_vector(probe)) {
        number_short(low, (double)probe->low[0]);
        number_short(high, (double)probe->high[0]);
        snprintf(state, DASH_CAPTION, "sample %d of %d · %d units, %s to %s", probe->sample + 1, probe->n_samples, probe->w, low, high);
        return;
    }
    if (dash->shrunk > 1) /* the greatest of each block of pixels is drawn */
        snprintf(size, sizeof size, " at 1/%d size", dash->shrunk);
    const char *what = probe->heads ? "head" : "map";
    if (dash->maps_shown < probe->n_maps)
        snprintf(which, sizeof which, "%ss %d to %d of %d", what, dash->maps_first, dash->maps_first + dash->maps_shown - 1, probe->n_maps);
    else
        snprintf(which, sizeof which, "%d %s%s", probe->n_maps, what, probe->n_maps == 1 ? "" : "s");
    if (probe->heads)
        snprintf(state, DASH_CAPTION, "sample %d of %d · %s%s, rows look at columns", probe->sample + 1, probe->n_samples, which, size);
    else
        snprintf(state, DASH_CAPTION, "sample %d of %d · %s%s, %sin its own range", probe->sample + 1, probe->n_samples, which, size,
                 probe->n_maps == 1 ? "" : "each ");
}

static void caption(const DashState *dash, int room, char title[DASH_CAPTION], char state[DASH_CAPTION])
{
    const TeleProbe *probe = dash->probe;
    if (!probe)
        return;
    snprintf(title, DASH_CAPTION, "activations · %.31s", probe->layer_name);
    wide_state(dash, state);
    if (canvas_width(title) + 1 + canvas_width(state) <= room)
        return;
    if (has_answer(probe))
        narrow_state(probe, state);
    else
        snprintf(state, DASH_CAPTION, "sample %d of %d", probe->sample + 1, probe->n_samples);
    if (has_maps(probe) && dash->maps_shown > 0)
        narrow_title(dash, room - 1 - canvas_width(state), title);
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
