// SPDX-License-Identifier: MIT
/* What panes share: what the dashboard fetched for them, and the drawing that several of them do. Thread: ui. */
#ifndef UI_PANELS_H
#define UI_PANELS_H

#include "ui/chart.h"
#include "ui/dash.h"
#include "ui/epochs.h"
#include "ui/number.h"

#define DASH_AXES (2 * TELE_METRICS + 1) /* of metrics alone, of the learning rate, of metrics together */

struct DashCache {
    ChartAxis axes[DASH_AXES];
    Epochs epochs;
    int n_series;
    TeleSeries series[]; /* the plan's metrics, then the learning rate */
};

static inline Style dash_style(const PanelView *view, Role role)
{
    return view->theme->roles[role];
}

/* Text behind which another colour stands: a chosen row, a heat cell. */
static inline Style dash_on(Style style, Ink background)
{
    style.bg = background;
    return style;
}

/* ---- header.c ---- */

int header_rows(int w);
void header_draw(const DashState *dash, Canvas *canvas, const Theme *theme, int rows);

/* ---- curves.c, and the files that ui/curves.h names ---- */

/* The chart of the loss pane (second: of the metric pane) on the whole area, and what its border says. */
void curves_draw(PanelView *view, bool second);
void curves_caption(const DashState *dash, bool second, bool focused, int room, char title[DASH_CAPTION], char state[DASH_CAPTION]);
bool curves_key(DashState *dash, bool second, int code); /* left and right: another chart */
bool curves_percent(const DashState *dash, int metric);  /* a share, shown as percent */

/* A number at the right end of a curve, 7 columns. */
const char *curves_text(const DashState *dash, int metric, double value, char out[NUMBER_ROOM]);

/* The first metric that is not of the first one's kind; -1: none. */
int kinds_second(const TelePlan *plan);

/* ---- tiles.c ---- */

/* How the pixels of an image become cells. */
typedef struct Tile {
    int w, h;    /* cells */
    int scale;   /* a pixel is so many half blocks wide and high (without half blocks: cells, twice as wide); above 1 shrink is 1 */
    int shrink;  /* so many pixels become one by their greatest; 1: all are drawn */
    bool half;   /* two pixels a cell, one above the other, as half blocks */
    bool pairs;  /* two rows of pixels share a row of cells by their greatest (no colours, little room) */
} Tile;

/* How to show h x w pixels, each `scale` times its least size, in so many cells; false when there is no room. At scale 1 an
 * image that is too large is shrunk. */
bool tile_fit(const Canvas *canvas, const Theme *theme, int h, int w, int most_w, int most_h, int scale, Tile *tile);

/* channels 1: values 0 … 1 on a ramp; 3: red, green, blue. */
void tile_draw(Canvas *canvas, const Theme *theme, int x, int y, const Tile *tile, Ramp ramp, const float *pixels, int h, int w, int channels);

/* ---- maps.c ---- */

/* Feature maps of a probe on an area; what was drawn is noted in the DashState. How many there would be. */
void maps_draw(PanelView *view, const TeleProbe *probe, Rect area);
int maps_count(const PanelView *view, const TeleProbe *probe, Rect area);

/* ---- words.c ---- */

/* Text in lines of at most `width` columns, broken at blanks; returns the lines that it takes, of which at most `most` are
 * drawn (none when 0), the last one cut. */
int words_draw(Canvas *canvas, int x, int y, int width, int most, Style style, const char *text);

/* A bar of `width` columns, filled to share (0 … 1) in eighths. */
void words_bar(Canvas *canvas, int x, int y, int width, Style style, double share);

/* ---- bigtype.c ---- */

/* A number (digits . - + e % and blanks) in large letters: rows high, and columns wide. In ASCII use `large` only. */
#define BIGTYPE_ROWS(large) ((large) ? 5 : 3)
int bigtype_width(const char *text, bool large);
void bigtype_draw(Canvas *canvas, int x, int y, Style style, const char *text, bool large);

#endif
