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
    double *means;  /* owned [n_columns], for MISSING_MEAN */
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

/* Which rows stay, and the means that fill gaps. */
static bool choose_rows(Plan *plan, Err *err)
{
    const CsvTable *table = plan->table;
    plan->rows = mem_alloc((size_t)table->n_rows + 1, sizeof *plan->rows, err);
    plan->means = mem_zero((size_t)table->n_columns + 1, sizeof *plan->means, err);
    if (!plan->rows || !plan->means)
        return false;
    for (int64_t r = 0; r < table->n_rows; r++) {
        int gap = -1;
        for (int c = 0; c < table->n_columns && gap < 0; c++)
            if (isnan(cell(plan, r, c)) && (c == plan->target || plan->options->missing != MISSING_KEEP))
                gap = c;
        bool fills = gap >= 0 && gap != plan->target && plan->options->missing == MISSING_MEAN;
        if (gap >= 0 && plan->options->missing == MISSING_REFUSE)
            return err_set(err, ERR_DATA, "%s:%lld: column \"%.60s\" has no value; choose missing = \"drop\", \"mean\" or \"keep\"", table->path,
                           (long long)table->lines[r], table->columns[gap].name);
        if (gap < 0 || fills)
            plan->rows[plan->n++] = r;
    }
    for (int c = 0; c < table->n_columns; c++) {
        double sum = 0;
        int64_t n = 0;
        for (int64_t r = 0; r < table->n_rows; r++)
            if (!isnan(cell(plan, r, c))) {
                sum += cell(plan, r, c);
                n++;
            }
        plan->means[c] = n ? sum / (double)n : 0;
    }
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
                *out++ = (real)(isnan(value) && plan->options->missing == MISSING_MEAN ? plan->means[c] : value);
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
    if (plan->n < plan->table->n_rows)
        snprintf(text, sizeof text, "%lld of %lld rows were dropped: they lack a value.", (long long)(plan->table->n_rows - plan->n),
                 (long long)plan->table->n_rows);
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
    mem_free(plan.means);
    return set;
}
