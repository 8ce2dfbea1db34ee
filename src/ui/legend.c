// SPDX-License-Identifier: MIT
/* What a chart says about its curves: names with the values at their right ends, where values lie outside the frame, and
 * what the user changed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/curves.h"

#define LEGEND 17 /* columns for one metric: sample, name, value */
#define NAMES 14  /* columns that a name may have in any case where several share the chart */

/* How many cells of a region are taken. */
static int curve_cells(const Curves *c, int x, int y, int w, int h)
{
    int n = 0;
    for (int i = y; i < y + h; i++)
        for (int j = x; j < x + w; j++) {
            const Canvas *canvas = c->view->canvas;
            const Cell *cell = &canvas->cells[(size_t)i * (size_t)canvas->w + (size_t)j];
            n += cell->text[0] != ' ';
        }
    return n;
}

/* ---- one metric: training and validation ---- */

/* A piece of the line, its name and its value, in the line's own colour. */
static void single_row(const Curves *c, int x, int y, Role role, const uint32_t sample[2], const char *name, double value, bool bad)
{
    Canvas *canvas = c->view->canvas;
    char text[NUMBER_ROOM];
    Style style = dash_style(c->view, role);
    canvas_fill(canvas, (Rect){ x, y, LEGEND, 1 }, c->view->theme->base);
    canvas_put(canvas, x, y, style, sample[0]);
    canvas_put(canvas, x + 1, y, style, sample[1]);
    canvas_text(canvas, x + 3, y, 6, style, name);
    if (bad)
        canvas_text_right(canvas, x + 9, y, 8, dash_style(c->view, ROLE_TROUBLE), "! NaN");
    else
        canvas_text_right(canvas, x + 9, y, 8, style, curves_text(c->view->dash, c->lines[0].metric, value, text));
}

static void draw_single(const Curves *c, int x, int y)
{
    const CurveLine *line = &c->lines[0];
    bool ascii = c->view->canvas->ascii, letters = c->view->theme->depth == DEPTH_NONE;
    const uint32_t solid[2] = { ascii ? '*' : 0x2500, ascii ? '*' : 0x2500 };
    const uint32_t dashed[2] = { ascii ? 'o' : 0x254C, ascii || letters ? 'o' : 0x254C };
    single_row(c, x, y, line->role, solid, line->rate ? "rate  " : "train ", line->train, line->bad);
    if (!isnan(line->valid))
        single_row(c, x, y + 1, line->valid_role, dashed, "valid ", line->valid, false);
}

/* On a projector the values stand in large letters; false where there is no room for them. */
static bool draw_big_values(const Curves *c)
{
    Canvas *canvas = c->view->canvas;
    const CurveLine *line = &c->lines[0];
    const double values[] = { line->train, line->valid };
    const Role roles[] = { line->role, line->valid_role };
    const char *const names[] = { line->rate ? "rate" : "train", "valid" };
    int n = isnan(line->valid) ? 1 : 2, widest = 0;
    char texts[2][NUMBER_ROOM];
    for (int i = 0; i < n; i++) {
        if (c->percent && values[i] >= 0 && values[i] <= 1)
            number_fixed(texts[i], 100 * values[i], 1);
        else if (values[i] >= 0.01 && values[i] < 10)
            number_fixed(texts[i], values[i], 3);
        else
            number_short(texts[i], values[i]);
        if (c->percent)
            strcat(texts[i], " %");
        widest = (int)strlen(texts[i]) > (int)strlen(texts[widest]) ? i : widest;
    }
    bool large = canvas->ascii || (bigtype_width(texts[widest], true) <= c->plot.w / 2 && 2 * n * (BIGTYPE_ROWS(true) + 2) <= c->plot.h);
    int w = bigtype_width(texts[widest], large), h = BIGTYPE_ROWS(large) + 1;
    if (w > c->plot.w * 2 / 3 || n * h > c->plot.h * 2 / 3)
        return false;
    int y = !c->percent ? c->plot.y : c->plot.y + c->plot.h - n * h, right = c->plot.x + c->plot.w;
    for (int i = 0; i < n; i++, y += h) {
        Style style = dash_style(c->view, roles[i]);
        canvas_text_right(canvas, right - w, y, w, style, names[i]);
        bigtype_draw(canvas, right - bigtype_width(texts[i], large), y + 1, style, texts[i], large);
    }
    return true;
}

/* ---- several metrics: a row each ---- */

static int name_width(const Curves *c)
{
    int width = 5;
    for (int i = 0; i < c->n; i++) {
        int w = canvas_width(c->lines[i].name);
        width = w > width ? w : width;
    }
    int most = c->plot.w / 3 > NAMES ? c->plot.w / 3 : NAMES;
    return width < most ? width : most;
}

static bool any_valid(const Curves *c)
{
    for (int i = 0; i < c->n; i++)
        if (!isnan(c->lines[i].valid))
            return true;
    return false;
}

/* "a left_loss   0.1234  0.2345": the letter that stands on the curve, its name, training, validation. */
static void draw_several(const Curves *c, int x, int y)
{
    Canvas *canvas = c->view->canvas;
    int name = name_width(c);
    bool valid = any_valid(c);
    char text[NUMBER_ROOM];
    canvas_fill(canvas, c->legend, c->view->theme->base);
    if (valid) {
        canvas_text_right(canvas, x + 2 + name, y, 8, dash_style(c->view, ROLE_LABEL), "train");
        canvas_text_right(canvas, x + 10 + name, y++, 8, dash_style(c->view, ROLE_LABEL), "valid");
    }
    for (int i = 0; i < c->n; i++, y++) {
        const CurveLine *line = &c->lines[i];
        Style style = dash_style(c->view, line->role);
        canvas_put(canvas, x, y, style, (unsigned char)line->letter);
        canvas_text_cut(canvas, x + 2, y, name, style, line->name);
        if (line->bad)
            canvas_text_right(canvas, x + 2 + name, y, 8, dash_style(c->view, ROLE_TROUBLE), "! NaN");
        else if (!isnan(line->train))
            canvas_text_right(canvas, x + 2 + name, y, 8, style, curves_text(c->view->dash, line->metric, line->train, text));
        if (!isnan(line->valid))
            canvas_text_right(canvas, x + 10 + name, y, 8, style, curves_text(c->view->dash, line->metric, line->valid, text));
    }
}

/* In the right corner that the curves leave free: falling ones the upper, rising ones the lower. */
void legend_draw(Curves *c)
{
    bool one = c->n == 1, valid = any_valid(c);
    int w = one ? LEGEND : 10 + name_width(c) + (valid ? 8 : 0), h = c->n + valid;
    int x = c->plot.x + c->plot.w - w, top = c->plot.y, bottom = c->plot.y + c->plot.h - h;
    if (c->plot.w < w + 4 || c->plot.h < h + 1 || (one && c->view->dash->big && !c->lines[0].bad && draw_big_values(c)))
        return;
    int above = curve_cells(c, x, top, w, h), below = curve_cells(c, x, bottom, w, h);
    int y = !c->percent ? (above > 2 * h && below < above ? bottom : top) : (below > 2 * h && above < below ? top : bottom);
    c->legend = (Rect){ x - 1, y, w + 1, h };
    if (one)
        draw_single(c, x, y);
    else
        draw_several(c, x, y);
}

/* ---- outside the frame ---- */

/* Inside the plot and outside the legend. */
static bool is_free(const Curves *c, int x, int y, int w)
{
    const Rect *legend = &c->legend;
    if (x < c->plot.x || x + w > c->plot.x + c->plot.w)
        return false;
    return y < legend->y || y >= legend->y + legend->h || x + w <= legend->x || x >= legend->x + legend->w;
}

static bool is_blank(const Curves *c, int x, int y, int w)
{
    const Canvas *canvas = c->view->canvas;
    if (!is_free(c, x, y, w))
        return false;
    for (int i = 0; i < w; i++)
        if (canvas->cells[(size_t)y * (size_t)canvas->w + (size_t)(x + i)].text[0] != ' ')
            return false;
    return true;
}

/* Signs in the columns whose values lie outside, and how far they go beside the last of them where there is room. */
static void draw_outside(const Curves *c, bool above)
{
    ChartPen pen = curves_pen(c, ROLE_LABEL, above ? '^' : 'v');
    int y = above ? c->plot.y : c->plot.y + c->plot.h - 1, last = -1, last_y = y;
    for (int k = 0; k < c->n; k++)
        for (int i = 0; i < c->lines[k].series->n; i++) {
            const TeleBucket *b = &c->lines[k].series->buckets[i];
            double row = chart_row(c->axis, (double)(above ? b->max : b->min));
            if (isnan(row) || (above ? row <= c->plot.h - 0.5 : row >= -0.5))
                continue;
            int x = chart_cell(&pen, (double)(b->first + b->n - 1));
            int at = is_free(c, x, y, 1) ? y : above ? c->legend.y + c->legend.h : c->legend.y - 1; /* the legend covers nothing */
            canvas_put(c->view->canvas, x, at, pen.style, (unsigned char)pen.letter);
            last_y = x > last ? at : last_y;
            last = x > last ? x : last;
        }
    char value[NUMBER_ROOM], text[64];
    if (c->percent)
        number_percent(value, above ? c->high : c->low);
    else
        number_short(value, above ? c->high : c->low);
    int w = snprintf(text, sizeof text, "%s %s", above ? "up to" : "down to", value + strspn(value, " "));
    if (last < 0)
        return;
    for (int row = 0; row < c->plot.h / 2; row++)
        for (int x = last + 2; x < last + 6; x++)
            if (is_blank(c, x - 1, last_y + (above ? row : -row), w + 2)) {
                canvas_text(c->view->canvas, x, last_y + (above ? row : -row), w, pen.style, text);
                return;
            }
    int x = last + w + 3 <= c->plot.x + c->plot.w ? last + 1 : last - w - 2; /* over the curves, which are everywhere */
    if (is_free(c, x, last_y, w + 2))
        canvas_textf(c->view->canvas, x, last_y, w + 2, pen.style, " %s ", text);
}

void legend_outside(const Curves *c)
{
    if (c->log) /* below the logarithm is said in words */
        return;
    draw_outside(c, true);
    draw_outside(c, false);
}

/* ---- the user's changes ---- */

/* Changes by the user: dotted lines behind the curves, each with its label in the first row where there is room beside it. */
void legend_marks(const Curves *c)
{
    const Telemetry *tele = c->view->dash->tele;
    Canvas *canvas = c->view->canvas;
    ChartPen pen = curves_pen(c, ROLE_MARK, ' ');
    for (size_t i = 0; i < c->epochs->n_marks; i++) {
        const Fact *fact = telemetry_fact(tele, c->epochs->marks[i]);
        if (fact->step < c->first || fact->step > c->limit)
            continue;
        int x = chart_cell(&pen, (double)fact->step), width = canvas_width(fact->label);
        bool labelled = width == 0;
        for (int y = c->plot.y; y < c->plot.y + c->plot.h; y++) {
            if (is_blank(c, x, y, 1))
                canvas_put(canvas, x, y, pen.style, 0x250A);
            for (int left = 0; left < 2 && !labelled; left++) { /* to the right of its line, else to the left */
                int at = left ? x - width : x + 1;
                labelled = is_blank(c, at, y, width);
                if (labelled)
                    canvas_text(canvas, at, y, width, pen.style, fact->label);
            }
        }
    }
}

