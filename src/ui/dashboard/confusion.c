// SPDX-License-Identifier: MIT
/* The confusion matrix: rows are the true classes, columns what the model said. The diagonal (right) and the rest (wrong)
 * have ramps of their own; counts stand in the cells and a dot for none, so that it reads without colour.
 *
 * Counts that are too long for their cells become percent of their row. Classes that do not fit are put together, several to
 * a cell, as plain heat; scrolling shows a window of single classes instead. Beside or below the matrix stand precision,
 * recall and F1 of each class, or the worst mistakes, as there is room. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/figures.h"
#include "ui/keys.h"
#include "ui/panels.h"

#define LEAST_CELL 3
#define LISTS 33 /* columns of the lists of classes and of mistakes; three less will do */

typedef struct Matrix {
    PanelView *view;
    const TeleConfusion *data;
    int label;        /* columns for the names of rows */
    int cell;         /* columns of a cell */
    int first, shown; /* classes first … first+shown-1, or groups of them */
    int group;        /* classes in a cell; 1: single ones */
    bool percent;     /* of the row instead of counts */
    uint32_t most_hit, most_miss;
} Matrix;

static uint32_t count_at(const TeleConfusion *data, int row, int column)
{
    return data->counts[(size_t)row * (size_t)data->n + (size_t)column];
}

/* Sum over the classes of a cell; *right: how many of them lie on the diagonal. */
static uint64_t cell_sum(const Matrix *m, int row, int column, uint64_t *right)
{
    const TeleConfusion *data = m->data;
    int i0 = row * m->group, j0 = column * m->group, i1 = i0 + m->group, j1 = j0 + m->group;
    uint64_t sum = 0;
    i1 = i1 < data->n ? i1 : data->n;
    j1 = j1 < data->n ? j1 : data->n;
    *right = 0;
    for (int i = i0; i < i1; i++) {
        const uint32_t *counts = data->counts + (size_t)i * (size_t)data->n;
        for (int j = j0; j < j1; j++)
            sum += counts[j];
        if (i >= j0 && i < j1)
            *right += counts[i];
    }
    return sum;
}

static uint64_t row_sum(const TeleConfusion *data, int row)
{
    uint64_t sum = 0;
    for (int j = 0; j < data->n; j++)
        sum += count_at(data, row, j);
    return sum;
}

/* Columns of a count. */
static int digits_of(uint64_t v)
{
    int n = 1;
    while (v >= 10) {
        v /= 10;
        n++;
    }
    return n;
}

static int longest_label(const TeleConfusion *data)
{
    int longest = 1;
    for (int i = 0; i < data->n; i++) {
        int w = canvas_width(data->labels[i]);
        longest = w > longest ? w : longest;
    }
    return longest;
}

/* Too many classes for cells with counts: a window of single classes once the user has scrolled, else groups of classes in
 * square cells without counts, which leave room for the lists. */
static void fit_many(Matrix *m, int w, int h)
{
    const TeleConfusion *data = m->data;
    DashState *dash = m->view->dash;
    int rows = h - 1, longest = longest_label(data);
    bool beside = w >= 2 * rows + 8 + LISTS + 2;
    int scroll = m->view->focused || dash->zoom ? dash->scroll : 0;
    m->label = longest > 8 ? 8 : longest;
    if (m->label > w / 4)
        m->label = 3;
    if (scroll > 0) {
        int fits = (w - m->label) / LEAST_CELL < rows ? (w - m->label) / LEAST_CELL : rows;
        m->shown = fits < 1 ? 1 : fits > data->n ? data->n : fits;
        m->first = scroll - 1 > data->n - m->shown ? data->n - m->shown : scroll - 1;
        dash->scroll = m->first + 1;
        return;
    }
    rows = beside || h < 16 ? rows : rows * 3 / 5;
    int cells = (w - m->label) / 2 < rows ? (w - m->label) / 2 : rows;
    cells = cells < 1 ? 1 : cells;
    m->group = (data->n + cells - 1) / cells;
    m->shown = (data->n + m->group - 1) / m->group;
}

/* Width of cells: for the longest count, else percent. */
static void fit_cells(Matrix *m, int room)
{
    uint64_t most = 0;
    for (int i = 0; i < m->data->n * m->data->n && m->group == 1; i++)
        most = m->data->counts[i] > most ? m->data->counts[i] : most;
    int wanted = digits_of(most) + 1, widest = room / m->shown;
    m->cell = m->group > 1 ? 2 : wanted < LEAST_CELL ? LEAST_CELL : wanted;
    m->percent = m->group == 1 && m->cell > widest;
    if (m->cell > widest)
        m->cell = widest < 5 ? widest : 5;
    else if (m->group == 1 && m->cell == LEAST_CELL && widest > LEAST_CELL)
        m->cell = LEAST_CELL + 1; /* air, where there is some */
    for (int i = 0; i < m->shown; i++)
        for (int j = 0; j < m->shown; j++) {
            uint64_t right, sum = cell_sum(m, m->first + i, m->first + j, &right);
            uint32_t *largest = i == j ? &m->most_hit : &m->most_miss;
            *largest = sum > *largest ? (uint32_t)sum : *largest;
        }
}

static void fit_matrix(Matrix *m, int w, int h)
{
    int longest = longest_label(m->data), n = m->data->n;
    m->label = longest > 8 ? 8 : longest < 2 ? 2 : longest;
    if (m->label + LEAST_CELL * n > w && m->label > 3)
        m->label = 3;
    m->group = 1;
    m->shown = n;
    if (m->label + LEAST_CELL * n > w || n > h - 1)
        fit_many(m, w, h);
    fit_cells(m, w - m->label);
}

/* Background from the ramp: none for nothing, the rest spread so that a single mistake shows. */
static int ramp_step(uint64_t count, uint32_t most)
{
    if (count == 0 || most == 0)
        return 0;
    int step = 4 + (int)(11 * sqrt((double)count / most) + 0.5);
    return step > THEME_RAMP - 1 ? THEME_RAMP - 1 : step;
}

/* Nothing is a dot; a share below half a percent is not nothing. */
static void cell_text(const Matrix *m, uint64_t count, uint64_t row_total, char out[NUMBER_ROOM])
{
    if (m->group > 1)
        out[0] = '\0';
    else if (count == 0)
        snprintf(out, NUMBER_ROOM, "%s", m->view->canvas->ascii ? "." : "·");
    else if (!m->percent)
        snprintf(out, NUMBER_ROOM, "%llu", (unsigned long long)count);
    else if (200 * count < row_total)
        snprintf(out, NUMBER_ROOM, "<1");
    else
        snprintf(out, NUMBER_ROOM, "%d", (int)(100.0 * (double)count / (double)row_total + 0.5));
}

/* Without colours mistakes are reversed, so that they are found first there, too. */
static void draw_cell(const Matrix *m, int i, int j, int x, int y)
{
    const Theme *theme = m->view->theme;
    Canvas *canvas = m->view->canvas;
    uint64_t right, sum = cell_sum(m, m->first + i, m->first + j, &right);
    bool wrong = i != j || 2 * right < sum; /* a group of classes is right when most of it is */
    Ramp ramp = wrong ? RAMP_MISS : RAMP_HIT;
    int step = ramp_step(sum, wrong && i != j ? m->most_miss : m->most_hit);
    Style style = { theme->on_ramp[ramp][step], theme->ramps[ramp][step], 0 };
    char text[NUMBER_ROOM];
    cell_text(m, sum, m->percent ? row_sum(m->data, m->first + i) : 0, text);
    if (theme->depth == DEPTH_NONE) {
        style = theme->roles[sum == 0 ? ROLE_LABEL : wrong ? ROLE_BRIGHT : ROLE_TEXT];
        style.attrs = (uint8_t)(sum && wrong ? ATTR_BOLD | ATTR_REVERSE : style.attrs);
        if (m->group > 1) {
            uint32_t shade = theme_shade(sum ? 0.25 + 0.75 * (step - 4) / 11.0 : 0, canvas->ascii);
            canvas_put(canvas, x, y, theme->base, shade);
            canvas_put(canvas, x + 1, y, theme->base, shade);
            return;
        }
        if (sum && wrong) {
            canvas_text_right(canvas, x, y, m->cell, style, text);
            return;
        }
    } else if (sum == 0) {
        style.fg = theme->roles[ROLE_BORDER].fg;
        style.attrs = theme->roles[ROLE_BORDER].attrs;
    }
    canvas_fill(canvas, (Rect){ x, y, m->cell, 1 }, style);
    canvas_text_right(canvas, x, y, m->cell, style, text);
}

/* A group is called by its first class. */
static void class_label(const Matrix *m, int i, char out[TELE_NAME + 8])
{
    int at = (m->first + i) * m->group;
    snprintf(out, TELE_NAME + 8, "%s", m->data->labels[at]);
}

/* Heads and rows. Names longer than a cell are cut, with a blank before them. */
static void draw_matrix(const Matrix *m, int x, int y)
{
    Canvas *canvas = m->view->canvas;
    Style dim = dash_style(m->view, ROLE_LABEL);
    char name[TELE_NAME + 8];
    for (int i = 0; i < m->shown; i++) {
        class_label(m, i, name);
        if (m->group == 1 && canvas_width(name) < m->cell)
            canvas_text_right(canvas, x + m->label + i * m->cell, y, m->cell, dim, name);
        else if (m->group == 1)
            canvas_text(canvas, x + m->label + i * m->cell + 1, y, m->cell - 1, dim, name);
        canvas_text_cut(canvas, x, y + 1 + i, m->label, dim, name);
        for (int j = 0; j < m->shown; j++)
            draw_cell(m, i, j, x + m->label + j * m->cell, y + 1 + i);
    }
}

/* ---- figures of classes ---- */

/* Columns of the figures. */
static const struct {
    const char *head;
    int width;
} figures[] = { { "precision", 10 }, { "recall", 8 }, { "F1", 7 } };
#define FIGURES 25 /* all of them */

static void draw_figures(const Matrix *m, int class, int x, int y)
{
    Figures f = figures_of(m->data, class);
    const double values[] = { f.precision, f.recall, f.f1 };
    for (int i = 0; i < 3; x += figures[i++].width) {
        char text[NUMBER_ROOM];
        bool known = isfinite(values[i]);
        canvas_text_right(m->view->canvas, x, y, figures[i].width, dash_style(m->view, known ? ROLE_TEXT : ROLE_LABEL),
                          known ? number_fixed(text, values[i], 3) : "-");
    }
}

static void draw_figure_heads(const Matrix *m, int x, int y)
{
    for (int i = 0; i < 3; x += figures[i++].width)
        canvas_text_right(m->view->canvas, x, y, figures[i].width, dash_style(m->view, ROLE_LABEL), figures[i].head);
}

static void draw_worst_classes(const Matrix *m, int x, int y, int width, int rows)
{
    int worst[64], n = figures_worst(m->data, worst, rows - 1 > 64 ? 64 : rows - 1), name = width - FIGURES;
    canvas_text(m->view->canvas, x, y, name, dash_style(m->view, ROLE_LABEL), n < m->data->n ? "worst" : "class");
    draw_figure_heads(m, x + name, y);
    for (int i = 0; i < n; i++) {
        canvas_text_cut(m->view->canvas, x, y + 1 + i, name, dash_style(m->view, ROLE_TEXT), m->data->labels[worst[i]]);
        draw_figures(m, worst[i], x + name, y + 1 + i);
    }
}

#define MISTAKES 10

/* Under a head: "cat taken for dog   31". */
static void draw_mistakes(const Matrix *m, int x, int y, int width, int rows)
{
    const TeleConfusion *data = m->data;
    Canvas *canvas = m->view->canvas;
    size_t worst[MISTAKES];
    int n = figures_mistakes(data, worst, MISTAKES);
    canvas_text(canvas, x, y, width, dash_style(m->view, ROLE_LABEL), n > 0 ? "most frequent mistakes" : "no mistakes");
    for (int k = 0; k < n && k + 1 < rows; k++) {
        char text[96], count[NUMBER_ROOM];
        size_t row = worst[k] / (size_t)data->n, column = worst[k] % (size_t)data->n;
        snprintf(text, sizeof text, "%.31s taken for %.31s", data->labels[row], data->labels[column]);
        number_count(count, data->counts[worst[k]]);
        canvas_text_cut(canvas, x, y + 1 + k, width - 8, dash_style(m->view, ROLE_TEXT), text);
        canvas_text_right(canvas, x + width - 8, y + 1 + k, 8, dash_style(m->view, ROLE_TEXT), count);
    }
}

/* ---- the pane ---- */

static int least_of(int a, int b)
{
    return a < b ? a : b;
}

/* The classes that are told apart worst, and what is taken for what, in a column. */
static void draw_lists(const Matrix *m, int x, int y, int rows, bool classes)
{
    int room = m->view->area.x + m->view->area.w - x, width = room < LISTS ? room : LISTS;
    if (width < LISTS - 3)
        return;
    if (classes && rows >= 4) {
        int n = least_of(rows, 1 + m->data->n);
        n = m->data->n > 20 ? least_of(n, rows < 8 ? rows : rows / 2) : n;
        draw_worst_classes(m, x, y, width, n);
        y += n + 1;
        rows -= n + 1;
    }
    if (rows >= 3)
        draw_mistakes(m, x, y, width, least_of(rows, MISTAKES + 1));
}

/* What fits beside and below the matrix. */
static void draw_rest(const Matrix *m, int x, int y)
{
    Rect a = m->view->area;
    int right = x + m->label + m->shown * m->cell, beside = a.x + a.w - right;
    bool all = m->group == 1 && m->shown == m->data->n, aligned = all && beside >= FIGURES + 2;
    if (aligned) {
        draw_figure_heads(m, right + 1, y);
        for (int i = 0; i < m->shown; i++)
            draw_figures(m, i, right + 1, y + 1 + i);
    } else if (beside >= LISTS + 2) {
        draw_lists(m, right + 2, y, a.h, true);
    }
    y += 1 + m->shown;
    int left = a.y + a.h - y; /* rows below */
    if (left < 1 || a.w < LISTS - 3)
        return;
    char text[96] = "row: true, column: answer";
    if (m->group > 1)
        snprintf(text, sizeof text, "%d classes a cell; %s", m->group, m->view->focused || m->view->dash->zoom ? "arrows: one by one" : "row: true, column: answer");
    canvas_text_cut(m->view->canvas, x + (m->group > 1 ? 0 : m->label), y, a.w - m->label, dash_style(m->view, ROLE_LABEL), text);
    if (aligned || beside < LISTS + 2)
        draw_lists(m, x, y + 2, left - 2, !aligned);
}

static void draw(PanelView *view)
{
    const TeleConfusion *data = view->dash->confusion;
    Rect a = view->area;
    if (!data || data->n < 1) {
        words_draw(view->canvas, a.x + 2, a.y + a.h / 2, a.w - 4, a.h, dash_style(view, ROLE_LABEL), "Answers are counted at the end of each epoch.");
        return;
    }
    Matrix m = { .view = view, .data = data };
    fit_matrix(&m, a.w, a.h);
    int beside = a.w - m.label - m.shown * m.cell;
    int x = a.x + (beside > 2 && beside < FIGURES + 2 ? 1 : 0);
    draw_matrix(&m, x, a.y);
    draw_rest(&m, x, a.y);
}

static void caption(const DashState *dash, int room, char title[DASH_CAPTION], char state[DASH_CAPTION])
{
    const TeleConfusion *data = dash->confusion;
    char percent[NUMBER_ROOM];
    if (!data)
        return;
    number_percent(percent, data->total ? (double)data->right / (double)data->total : (double)NAN);
    snprintf(state, DASH_CAPTION, "%s %s", room >= 38 ? (data->validation ? "validation ·" : "training ·") : data->validation ? "valid" : "train",
             percent + strspn(percent, " "));
    if (data->output[0])
        snprintf(title, DASH_CAPTION, "confusion · %.20s", data->output);
    else if (data->n > 20 && room >= 50)
        snprintf(title, DASH_CAPTION, "confusion · %d classes", data->n);
}

/* Scrolling shows single classes where they did not fit together. */
static bool key(DashState *dash, int code)
{
    int n = dash->confusion ? dash->confusion->n : 0;
    int by = code == KEY_DOWN || code == KEY_RIGHT ? 1 : code == KEY_UP || code == KEY_LEFT ? -1 : 0;
    if (n == 0 || (by == 0 && code != KEY_HOME))
        return false;
    dash->scroll = code == KEY_HOME ? 0 : dash->scroll + by;
    dash->scroll = dash->scroll < 0 ? 0 : dash->scroll > n ? n : dash->scroll;
    return true;
}

const Panel panel_confusion = {
    .name = "confusion",
    .title = "confusion",
    .help = "rows are the true classes, columns what the model said; arrows go through many classes",
    .order = 4,
    .least_w = 20,
    .least_h = 4,
    .picture = PICTURE_CONFUSION,
    .caption = caption,
    .draw = draw,
    .key = key,
};
