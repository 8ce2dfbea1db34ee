// SPDX-License-Identifier: MIT
/* The table that Keras's summary() prints. Columns have Keras's widths for this width of the terminal; one whose longest word
 * does not fit takes room from the others, and text is broken between words, so that nothing is cut off. Where that is not
 * enough, long names are broken as well; on still narrower screens each layer gets lines of its own without a frame. Sizes in
 * bytes are those of float32 in every MODE. Source of layout and widths: keras/src/utils/summary_utils.py. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nn/graph.h"

#define COLUMNS 4

typedef struct Summary {
    const Model *model;
    Buf *out;
    Buf cell;        /* owned; the text at work */
    bool ascii;
    int n_columns;   /* 3, or 4 with "Connected to" */
    int line;        /* columns of the whole table */
    int width[COLUMNS];
    int longest[COLUMNS]; /* word of each column */
} Summary;

static const char *const titles[COLUMNS] = { "Layer (type)", "Output Shape", "Param #", "Connected to" };

/* ---- numbers ---- */

static void put_count(Buf *out, double count)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%.0f", count);
    for (int i = 0; i < n; i++) {
        buf_put(out, digits[i]);
        if (i + 1 < n && (n - i - 1) % 3 == 0)
            buf_put(out, ',');
    }
}

static void put_bytes(Buf *out, double bytes)
{
    static const char *const units[] = { "B", "KB", "MB", "GB", "TB", "PB" };
    int unit = 0;
    for (; bytes >= 1024 && unit < 5; unit++)
        bytes /= 1024;
    buf_printf(out, "%.2f %s", bytes, units[unit]);
}

/* ---- rows ---- */

/* A plain chain, each layer once: what comes from where goes without saying. */
static bool is_chain(const Model *model)
{
    for (int i = 0; i < model->n_nodes; i++) {
        const GraphNode *node = &model->nodes[i];
        bool follows = i == 0 ? node->n_in == 0 : node->n_in == 1 && node->in[0] == i - 1;
        if (!node->first || !follows || layer_is_pick(node->layer))
            return !model->built;
    }
    return true;
}

static bool has_row(const Model *model, int i)
{
    const GraphNode *node = &model->nodes[i];
    return node->first && !layer_is_pick(node->layer) && !(model->sequential && node->layer->kind->is_input);
}

static int64_t params_of(const Layer *layer)
{
    return layer->inner ? model_count_params(layer->inner, false) : (int64_t)layer->n_elements;
}

/* Which use of its layer a node is, from 0. */
static int use_of(const Model *model, int node)
{
    int use = 0;
    for (int i = 0; i < node; i++)
        use += model->nodes[i].layer == model->nodes[node].layer;
    return use;
}

static void put_connections(Buf *out, const Model *model, int row)
{
    bool any = false;
    for (int i = row; i < model->n_nodes; i++) {
        const GraphNode *node = &model->nodes[i];
        for (int k = 0; k < node->n_in && node->layer == model->nodes[row].layer; k++) {
            int from = node->in[k], output = 0;
            if (layer_is_pick(model->nodes[from].layer)) {
                output = layer_picks(model->nodes[from].layer);
                from = model->nodes[from].in[0];
            }
            buf_printf(out, "%s%s[%d][%d]", any ? ", " : "", model->nodes[from].layer->name, use_of(model, from), output);
            any = true;
        }
    }
    if (!any)
        buf_puts(out, "-");
}

/* row -1: the titles. */
static const char *cell_text(Summary *s, int row, int column)
{
    buf_reset(&s->cell);
    const GraphNode *node = row < 0 ? NULL : &s->model->nodes[row];
    char shape[SHAPE_TEXT];
    if (!node)
        buf_puts(&s->cell, titles[column]);
    else if (column == 0)
        buf_printf(&s->cell, "%s (%s%s)", node->layer->name, node->layer->kind->name, node->layer->kind->is_input ? "Layer" : "");
    else if (column == 1)
        buf_puts(&s->cell, node->shape.rank ? shape_text(&node->shape, shape) : "?");
    else if (column == 3)
        put_connections(&s->cell, s->model, row);
    else {
        put_count(&s->cell, (double)params_of(node->layer));
        if (!node->layer->built)
            buf_puts(&s->cell, " (unbuilt)");
    }
    return buf_text(&s->cell);
}

/* ---- text in columns ---- */

static bool starts_char(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

static int text_width(const char *text, size_t n)
{
    int width = 0;
    for (size_t i = 0; i < n; i++)
        width += starts_char(text[i]);
    return width;
}

static int longest_word(const char *text)
{
    int most = 0;
    while (*text) {
        size_t n = strcspn(text, " ");
        int width = text_width(text, n);
        most = width > most ? width : most;
        text += n + strspn(text + n, " ");
    }
    return most;
}

/* How many bytes of text go on a line of this width: whole words, or as much of a longer word as fits, best up to a '_'. */
static size_t line_part(const char *text, int width)
{
    size_t whole = 0, piece = 0, i = 0;
    int used = 0;
    for (; text[i]; i++) {
        if (starts_char(text[i]) && used++ == width)
            break;
        if (text[i] == ' ')
            whole = i;
        if (text[i] == '_')
            piece = i + 1;
    }
    return !text[i] || text[i] == ' ' ? i : whole ? whole : piece ? piece : i ? i : 1;
}

static void put_padded(Summary *s, const char *text, size_t n, int column)
{
    int pad = s->width[column] - text_width(text, n);
    buf_printf(s->out, "%*s", column == 2 && pad > 0 ? pad : 0, "");
    buf_write(s->out, text, n);
    buf_printf(s->out, "%*s", column != 2 && pad > 0 ? pad : 0, "");
}

/* One line of every cell; at[] says how far each has come. True while some text is left. */
static bool put_line(Summary *s, int row, size_t at[COLUMNS], const char *bar)
{
    bool left = false;
    for (int c = 0; c < s->n_columns; c++) {
        const char *text = cell_text(s, row, c) + at[c];
        size_t n = line_part(text, s->width[c]);
        buf_printf(s->out, "%s ", bar);
        put_padded(s, text, n, c);
        buf_put(s->out, ' ');
        at[c] += n + strspn(text + n, " ");
        left = left || text[n + strspn(text + n, " ")];
    }
    buf_printf(s->out, "%s\n", bar);
    return left;
}

static void put_row(Summary *s, int row)
{
    const char *bar = s->ascii ? "|" : row < 0 ? "┃" : "│";
    size_t at[COLUMNS] = { 0 };
    while (put_line(s, row, at, bar))
        ;
}

typedef struct Rule {
    const char *left, *dash, *cross, *right;
} Rule;

static void put_rule(Summary *s, const Rule *rule)
{
    static const Rule plain = { "+", "-", "+", "+" };
    if (s->ascii)
        rule = &plain;
    buf_puts(s->out, rule->left);
    for (int c = 0; c < s->n_columns; c++) {
        for (int i = 0; i < s->width[c] + 2; i++)
            buf_puts(s->out, rule->dash);
        buf_puts(s->out, c + 1 < s->n_columns ? rule->cross : rule->right);
    }
    buf_put(s->out, '\n');
}

/* ---- widths ---- */

static void measure(Summary *s)
{
    for (int c = 0; c < s->n_columns; c++)
        for (int row = -1; row < s->model->n_nodes; row++)
            if (row < 0 || has_row(s->model, row)) {
                const char *text = cell_text(s, row, c);
                int width = c == 1 || c == 2 ? text_width(text, strlen(text)) : longest_word(text); /* those stay on one line */
                s->longest[c] = width > s->longest[c] ? width : s->longest[c];
            }
}

/* Keras's shares of the line, less each column's part of the frame. */
static void set_widths(Summary *s)
{
    static const double ends[2][COLUMNS] = { { 0.45, 0.80, 1 }, { 0.3, 0.56, 0.74, 1 } };
    static const int frame[2][COLUMNS] = { { 3, 4, 3 }, { 3, 3, 4, 3 } };
    int before = 0;
    for (int c = 0; c < s->n_columns; c++) {
        int end = (int)(ends[s->n_columns - 3][c] * s->line);
        s->width[c] = end - before - frame[s->n_columns - 3][c];
        before = end;
    }
}

/* Give column c what its longest word lacks, from the columns that have most to spare. False: there is not enough. */
static bool widen(Summary *s, int c)
{
    while (s->width[c] < s->longest[c]) {
        int richest = -1, most = 0;
        for (int i = 0; i < s->n_columns; i++)
            if (s->width[i] - s->longest[i] > most) {
                most = s->width[i] - s->longest[i];
                richest = i;
            }
        if (richest < 0)
            return false;
        s->width[richest]--;
        s->width[c]++;
    }
    return true;
}

/* With names no longer than so many columns on one line. */
static bool fit_names(const Summary *s, int most, int width[COLUMNS])
{
    Summary trial = *s;
    set_widths(&trial);
    for (int c = 0; c < s->n_columns; c += 3) {
        int here = c ? most - 4 : most;
        trial.longest[c] = trial.longest[c] > here ? here : trial.longest[c];
    }
    for (int c = 0; c < s->n_columns; c++)
        if (!widen(&trial, c))
            return false;
    memcpy(width, trial.width, sizeof trial.width);
    return true;
}

static bool fit(Summary *s, int width)
{
    int most = s->n_columns == 3 ? 88 : 108;
    s->line = width - 4 < most ? width - 4 : most;
    measure(s);
    for (int names = 2 * LAYER_NAME; names >= 14 && s->line >= 20; names--)
        if (fit_names(s, names, s->width))
            return true;
    return false;
}

/* ---- the whole ---- */

static void put_table(Summary *s)
{
    put_rule(s, &(Rule){ "┏", "━", "┳", "┓" });
    put_row(s, -1);
    put_rule(s, &(Rule){ "┡", "━", "╇", "┩" });
    bool any = false;
    for (int i = 0; i < s->model->n_nodes; i++) {
        if (!has_row(s->model, i))
            continue;
        if (any)
            put_rule(s, &(Rule){ "├", "─", "┼", "┤" });
        put_row(s, i);
        any = true;
    }
    put_rule(s, &(Rule){ "└", "─", "┴", "┘" });
}

static void put_list(Summary *s)
{
    for (int i = 0; i < s->model->n_nodes; i++) {
        if (!has_row(s->model, i))
            continue;
        buf_printf(s->out, " %s\n", cell_text(s, i, 0));
        buf_printf(s->out, "   %s ", cell_text(s, i, 1));
        buf_printf(s->out, "%s params\n", cell_text(s, i, 2));
        if (s->n_columns == 4 && s->model->nodes[i].n_in > 0)
            buf_printf(s->out, "   from %s\n", cell_text(s, i, 3));
    }
}

static void put_params(Buf *out, const char *what, int64_t n)
{
    buf_printf(out, " %s: ", what);
    put_count(out, (double)n);
    buf_puts(out, " (");
    put_bytes(out, 4.0 * (double)n);
    buf_puts(out, ")\n");
}

static void put_totals(const Model *model, Buf *out)
{
    int64_t all = model_count_params(model, false), trainable = model_count_params(model, true);
    put_params(out, "Total params", all);
    put_params(out, "Trainable params", trainable);
    put_params(out, "Non-trainable params", all - trainable);
    if (!model->built) {
        buf_puts(out, " Shapes are known after the first data, or with input_shape in the first layer.\n");
        return;
    }
    double bytes = 0, flops = 0;
    for (int i = 0; i < model->n_nodes; i++) {
        bytes += (double)model->nodes[i].bytes;
        flops += model->nodes[i].flops;
    }
    buf_puts(out, " Activations of one sample: ");
    put_bytes(out, bytes);
    buf_puts(out, "\n Multiply-adds of one sample: ");
    put_count(out, flops);
    buf_put(out, '\n');
}

bool model_summary(Model *model, Buf *out, int width, bool ascii, Err *err)
{
    if (model->n_nodes == 0) {
        buf_printf(out, "Model: \"%s\" has no layers yet. Add some, from input to output: model:add(nn.Dense(10, {input_shape = {4}}))\n", model->name);
        return buf_ok(out, err);
    }
    Summary s = { .model = model, .out = out, .cell = BUF_INIT, .ascii = ascii, .n_columns = is_chain(model) ? 3 : 4 };
    buf_printf(out, "Model: \"%s\"\n", model->name);
    if (fit(&s, width))
        put_table(&s);
    else
        put_list(&s);
    put_totals(model, out);
    bool whole = buf_ok(&s.cell, err) && buf_ok(out, err);
    buf_fini(&s.cell);
    return whole;
}
