// SPDX-License-Identifier: MIT
#include "data/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"

#define COLUMNS_MOST 100000

typedef struct Plan {
    const CsvTable *table;
    const TableOptions *options;
    int target;     /* column, -1: none */
    int64_t *rows;  /* owned: rows that are used */
    int64_t n, F;   /* rows; features after spreading text columns */
    int64_t lacking, repeated; /* rows that were left out, and why */
    double *fills;  /* owned [n_columns]: what fills the gaps of a column */
} Plan;

static double cell(const Plan *plan, int64_t row, int column)
{
    return plan->table->cells[row * plan->table->n_columns + column];
}

static bool find_target(Plan *plan, Err *err)
{
    const char *target = plan->options->target;
    plan->target = -1;
    if (!target || !*target)
        return true;
    plan->target = csv_find(plan->table, target);
    char *end;
    long number = strtol(target, &end, 10);
    if (plan->target < 0 && !*end && number >= 1 && number <= plan->table->n_columns)
        plan->target = (int)number - 1;
    if (plan->target >= 0)
        return true;
    NameSearch search;
    char hint[96];
    name_search(&search, target);
    for (int c = 0; c < plan->table->n_columns; c++)
        name_offer(&search, plan->table->columns[c].name);
    const char *first = plan->table->columns[0].name, *other = plan->table->n_columns == 1 ? strpbrk(first, ",;\t|") : NULL;
    if (other)
        return err_set(err, ERR_NAME, "%s has no column \"%.60s\": all of a line is one cell, \"%.60s\"; is separator = \"%s\" meant?",
                       plan->table->path, target, first, *other == '\t' ? "\\t" : (char[]){ *other, '\0' });
    return err_set(err, ERR_NAME, "%s has no column \"%.60s\"%s; it has %d, the first is \"%.60s\"", plan->table->path, target,
                   name_hint(&search, hint), plan->table->n_columns, first);
}

static bool fills_gaps(const Plan *plan)
{
    Missing how = plan->options->missing;
    return how == MISSING_MEAN || how == MISSING_MEDIAN || how == MISSING_CONSTANT;
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What fills the gaps of a column, from the values that the table has; room [n_rows]. */
static double fill_of(const Plan *plan, int column, double *room)
{
    int64_t n = 0;
    double sum = 0;
    for (int64_t r = 0; r < plan->table->n_rows; r++)
        if (!isnan(cell(plan, r, column))) {
            room[n] = cell(plan, r, column);
            sum += room[n++];
        }
    if (plan->options->missing == MISSING_CONSTANT || n == 0)
        return plan->options->missing == MISSING_CONSTANT ? plan->options->fill : 0;
    if (plan->options->missing == MISSING_MEAN)
        return sum / (double)n;
    qsort(room, (size_t)n, sizeof *room, compare_numbers);
    return n % 2 ? room[n / 2] : (room[n / 2 - 1] + room[n / 2]) / 2;
}

static bool find_fills(Plan *plan, Err *err)
{
    double *room = mem_alloc((size_t)plan->table->n_rows + 1, sizeof *room, err);
    for (int c = 0; room && c < plan->table->n_columns; c++)
        plan->fills[c] = fill_of(plan, c, room);
    mem_free(room);
    return room != NULL;
}

typedef struct Line {
    const double *cells;
    int n;
    int64_t row;
} Line;

/* By their cells' bytes (an empty cell is one NaN like all others), then by their place in the table. */
static int compare_lines(const void *a, const void *b)
{
    const Line *x = a, *y = b;
    int order = memcmp(x->cells, y->cells, (size_t)x->n * sizeof *x->cells);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

static int compare_rows(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Of the rows that are used, those that are the same stand once. */
static bool drop_repeated(Plan *plan, Err *err)
{
    if (!plan->options->unique || plan->n < 2)
        return true;
    Line *lines = mem_alloc((size_t)plan->n, sizeof *lines, err);
    int64_t kept = 0;
    if (!lines)
        return false;
    for (int64_t i = 0; i < plan->n; i++)
        lines[i] = (Line){ plan->table->cells + plan->rows[i] * plan->table->n_columns, plan->table->n_columns, plan->rows[i] };
    qsort(lines, (size_t)plan->n, sizeof *lines, compare_lines);
    for (int64_t i = 0; i < plan->n; i++)
        if (i == 0 || memcmp(lines[i].cells, lines[i - 1].cells, (size_t)lines[i].n * sizeof(double)) != 0)
            plan->rows[kept++] = lines[i].row;
    qsort(plan->rows, (size_t)kept, sizeof *plan->rows, compare_rows);
    plan->repeated = plan->n - kept;
    plan->n = kept;
    mem_free(lines);
    return true;
}

/* Which rows stay, and what fills gaps. */
static bool choose_rows(Plan *plan, Err *err)
{
    const CsvTable *table = plan->table;
    plan->rows = mem_alloc((size_t)table->n_rows + 1, sizeof *plan->rows, err);
    plan->fills = mem_zero((size_t)table->n_columns + 1, sizeof *plan->fills, err);
    if (!plan->rows || !plan->fills)
        return false;
    for (int64_t r = 0; r < table->n_rows; r++) {
        int gap = -1;
        for (int c = 0; c < table->n_columns && gap < 0; c++)
            if (isnan(cell(plan, r, c)) && (c == plan->target || plan->options->missing != MISSING_KEEP))
                gap = c;
        bool fills = gap >= 0 && gap != plan->target && fills_gaps(plan);
        if (gap >= 0 && plan->options->missing == MISSING_REFUSE)
            return err_set(err, ERR_DATA, "%s:%lld: column \"%.60s\" has no value; choose missing = \"drop\", \"mean\", \"median\", \"constant\" or \"keep\"", table->path,
                           (long long)table->lines[r], table->columns[gap].name);
        if (gap < 0 || fills)
            plan->rows[plan->n++] = r;
    }
    plan->lacking = table->n_rows - plan->n;
    if ((fills_gaps(plan) && !find_fills(plan, err)) || !drop_repeated(plan, err))
        return false;
    return plan->n > 0 || err_set(err, ERR_DATA, "%s: no row is left to use", table->path);
}

static bool spreads(const Plan *plan, int c)
{
    return plan->table->columns[c].is_text && plan->options->one_hot;
}

static bool count_features(Plan *plan, Err *err)
{
    for (int c = 0; c < plan->table->n_columns; c++)
        if (c != plan->target)
            plan->F += spreads(plan, c) ? plan->table->columns[c].n_classes : 1;
    if (plan->F < 1)
        return err_set(err, ERR_DATA, "%s: beside the target there is no column to learn from", plan->table->path);
    if (plan->F > COLUMNS_MOST)
        return err_set(err, ERR_DATA, "%s: its text columns would become %lld columns; text = \"number\" gives one number each", plan->table->path,
                       (long long)plan->F);
    return true;
}

static bool fill_x(const Plan *plan, Tensor *x, Err *err)
{
    if (!tensor_zero(x, DTYPE_FLOAT32, SHAPE(plan->n, plan->F), err))
        return false;
    for (int64_t i = 0; i < plan->n; i++) {
        real *out = tensor_real(x) + i * plan->F;
        for (int c = 0; c < plan->table->n_columns; c++) {
            double value = cell(plan, plan->rows[i], c);
            if (c == plan->target)
                continue;
            if (spreads(plan, c)) {
                if (!isnan(value))
                    out[(int)value] = 1;
                out += plan->table->columns[c].n_classes;
            } else {
                *out++ = (real)(isnan(value) && fills_gaps(plan) ? plan->fills[c] : value);
            }
        }
    }
    return true;
}

/* Are the numbers of the target classes? Whole, 0 … 999, and few beside the number of rows. */
static bool is_class(const Plan *plan)
{
    double most = 0;
    if (plan->table->columns[plan->target].is_text)
        return true;
    for (int64_t i = 0; i < plan->n; i++) {
        double value = cell(plan, plan->rows[i], plan->target);
        if (value < 0 || value > 999 || value != floor(value))
            return false;
        most = value > most ? value : most;
    }
    return most + 1 <= (double)plan->n / 2;
}

static bool fill_y(const Plan *plan, Tensor *y, Err *err)
{
    *y = (Tensor){ 0 };
    if (plan->target < 0)
        return true;
    bool classes = is_class(plan);
    if (!(classes ? tensor_new(y, DTYPE_INT32, SHAPE(plan->n), err) : tensor_new(y, DTYPE_FLOAT32, SHAPE(plan->n, 1), err)))
        return false;
    for (int64_t i = 0; i < plan->n; i++)
        tensor_set(y, i, cell(plan, plan->rows[i], plan->target));
    return true;
}

/* "width", or "colour=red" for each value of a text column that is spread. */
static bool name_features(const Plan *plan, Dataset *set, Err *err)
{
    char (*names)[DATASET_NAME] = mem_zero((size_t)plan->F, DATASET_NAME, err);
    int64_t f = 0;
    if (!names)
        return false;
    for (int c = 0; c < plan->table->n_columns; c++) {
        const CsvColumn *column = &plan->table->columns[c];
        for (int k = 0; c != plan->target && k < (spreads(plan, c) ? column->n_classes : 1); k++) {
            if (spreads(plan, c))
                snprintf(names[f++], DATASET_NAME, "%.15s=%.14s", column->name, column->classes[k]);
            else
                snprintf(names[f++], DATASET_NAME, "%.31s", column->name);
        }
    }
    set->features = names;
    set->n_features = (int)plan->F;
    return true;
}

static bool name_all(const Plan *plan, Dataset *set, Err *err)
{
    const CsvColumn *target = plan->target >= 0 ? &plan->table->columns[plan->target] : NULL;
    char text[160] = "";
    if (plan->repeated)
        snprintf(text, sizeof text, "%lld of %lld rows were dropped: %lld lack a value, %lld stand there twice.", (long long)(plan->lacking + plan->repeated),
                 (long long)plan->table->n_rows, (long long)plan->lacking, (long long)plan->repeated);
    else if (plan->lacking)
        snprintf(text, sizeof text, "%lld of %lld rows were dropped: they lack a value.", (long long)plan->lacking, (long long)plan->table->n_rows);
    return name_features(plan, set, err) && dataset_set_text(set, text, err) &&
           (!target || !target->is_text || dataset_name_classes(set, target->classes, target->n_classes, err));
}

Dataset *table_dataset(const CsvTable *table, const char *name, const TableOptions *options, Err *err)
{
    Plan plan = { .table = table, .options = options };
    Tensor x = { 0 }, y = { 0 };
    Dataset *set = NULL;
    if (find_target(&plan, err) && choose_rows(&plan, err) && count_features(&plan, err) && fill_x(&plan, &x, err) && fill_y(&plan, &y, err))
        set = dataset_new(name, &x, y.data ? &y : NULL, err);
    if (set && !name_all(&plan, set, err)) {
        dataset_unref(set);
        set = NULL;
    }
    tensor_unref(&x);
    tensor_unref(&y);
    mem_free(plan.rows);
    mem_free(plan.fills);
    return set;
}
