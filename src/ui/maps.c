// SPDX-License-Identifier: MIT
/* Feature maps side by side and one above the other with a frame of one empty cell, each scaled to its own range, which
 * stands under it where there is room. They grow by whole multiples until the room is filled. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/panels.h"

typedef struct Grid {
    Tile tile;
    int across, down;
    bool labelled;
} Grid;

static int shown_maps(const Grid *grid, const TeleProbe *probe)
{
    int room = grid->across * grid->down;
    return room < probe->n_maps ? room : probe->n_maps;
}

/* How many maps fit, and whether their numbers fit under them. */
static bool fit_grid(const PanelView *view, const TeleProbe *probe, Rect area, int most_h, int scale, Grid *grid)
{
    if (!tile_fit(view->canvas, view->theme, probe->h, probe->w, area.w, most_h, scale, &grid->tile))
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

/* Larger as long as three quarters of the maps are still seen (half blocks on a projector: twice as large in any case);
 * without half blocks flatter where only few would fit. */
static bool choose_grid(const PanelView *view, const TeleProbe *probe, Rect area, Grid *grid)
{
    Grid larger;
    if (!fit_grid(view, probe, area, area.h, 1, grid))
        return false;
    int shown = shown_maps(grid, probe), least = shown < probe->n_maps ? shown : (3 * shown + 3) / 4;
    if (!grid->tile.half && !grid->tile.pairs && shown < 4 && shown < probe->n_maps)
        return fit_grid(view, probe, area, (grid->tile.h + 1) / 2, 1, grid);
    while (grid->tile.shrink == 1 && !grid->tile.pairs && fit_grid(view, probe, area, area.h, grid->tile.scale + 1, &larger) &&
           (shown_maps(&larger, probe) >= least || (view->dash->big && larger.tile.half && larger.tile.scale == 2)))
        *grid = larger;
    return true;
}

int maps_count(const PanelView *view, const TeleProbe *probe, Rect area)
{
    Grid grid;
    return probe->n_maps > 0 && probe->w > 0 && choose_grid(view, probe, area, &grid) ? shown_maps(&grid, probe) : 0;
}

/* ---- what stands under a map ---- */

/* Decimals that all upper ends are written with, so that they stand in columns; -1: too far apart from 1 for that. */
static int common_decimals(const TeleProbe *probe)
{
    double most = 0;
    for (int i = 0; i < probe->n_maps; i++)
        most = fmax(most, fmax(fabs((double)probe->high[i]), fabs((double)probe->low[i])));
    return !(most >= 0.00995 && most < 99950) ? -1 : most < 0.995 ? 3 : most < 9.95 ? 2 : most < 99.5 ? 1 : 0;
}

/* What is not nothing is not written as nothing. */
static const char *end_text(char out[NUMBER_ROOM], double value, int decimals)
{
    if (decimals < 0 || !isfinite(value) || (value != 0 && fabs(value) < 0.5 * pow(10, -decimals)))
        return number_short(out, value);
    return number_fixed(out, value, decimals);
}

/* The range that was scaled; where only one number fits, its upper end (after a relu the lower is 0). */
static void range_text(const TeleProbe *probe, int i, int width, int decimals, char out[64])
{
    char low[NUMBER_ROOM], high[NUMBER_ROOM];
    end_text(low, (double)probe->low[i], decimals);
    end_text(high, (double)probe->high[i], decimals);
    if (width >= 14 && (int)(strlen(low) + strlen(high)) + 8 <= width)
        snprintf(out, 64, "%.15s to %.15s", low, high);
    else
        snprintf(out, 64, "%s", high);
}

static void draw_label(PanelView *view, const TeleProbe *probe, int i, int x, int y, int width, int decimals)
{
    char text[64], number[16];
    range_text(probe, i, width, decimals, text);
    int used = snprintf(number, sizeof number, "%d", i);
    canvas_text(view->canvas, x, y, width, dash_style(view, ROLE_LABEL), number);
    if (used + 1 + (int)strlen(text) <= width)
        canvas_text_right(view->canvas, x, y, width, dash_style(view, ROLE_TEXT), text);
}

/* Scrolling goes on by rows. */
void maps_draw(PanelView *view, const TeleProbe *probe, Rect area)
{
    DashState *dash = view->dash;
    Grid grid;
    if (!choose_grid(view, probe, area, &grid))
        return;
    bool scrolls = view->focused || dash->zoom;
    int rows = (probe->n_maps + grid.across - 1) / grid.across, from = scrolls ? dash->scroll : 0, decimals = common_decimals(probe);
    from = from > rows - grid.down ? rows - grid.down : from;
    from = from < 0 ? 0 : from;
    if (scrolls)
        dash->scroll = from;
    dash->shrunk = grid.tile.shrink;
    dash->maps_first = from * grid.across;
    dash->maps_shown = 0;
    size_t size = (size_t)probe->h * (size_t)probe->w;
    for (int k = 0; k < grid.across * grid.down && dash->maps_first + k < probe->n_maps; k++) {
        int i = dash->maps_first + k, x = area.x + k % grid.across * (grid.tile.w + 1), y = area.y + k / grid.across * (grid.tile.h + 1);
        tile_draw(view->canvas, view->theme, x, y, &grid.tile, RAMP_HEAT, probe->maps + (size_t)i * size, probe->h, probe->w, 1);
        if (grid.labelled)
            draw_label(view, probe, i, x, y + grid.tile.h, grid.tile.w, decimals);
        dash->maps_shown++;
    }
}
