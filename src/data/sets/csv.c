// SPDX-License-Identifier: MIT
#include <string.h>

#include "data/table.h"

static const char *const missing_names[] = { "error", "drop", "mean", "keep", "median", "constant", NULL };
static const char *const text_names[] = { "one_hot", "number", NULL };
static const char *const duplicate_names[] = { "keep", "drop", NULL };
static const char *const header_names[] = { "auto", "yes", "no", NULL };

static const ArgSpec args[] = {
    { .name = "target", .type = ARG_TEXT, .fallback = "nil", .help = "the column to predict: its name, or its number from 1; nil: none" },
    { .name = "missing", .type = ARG_CHOICE, .fallback = "error", .choices = missing_names, .help = "cells without a value: refuse, drop the row, the column's mean, NaN (keep), its median, or fill_value" },
    { .name = "text", .type = ARG_CHOICE, .fallback = "one_hot", .choices = text_names, .help = "text columns: one column for each value, or the value's number" },
    { .name = "header", .type = ARG_CHOICE, .fallback = "auto", .choices = header_names, .help = "is the first line names?" },
    { .name = "fill_value", .type = ARG_FLOAT, .fallback = "0", .help = "what missing = \"constant\" puts there" },
    { .name = "duplicates", .type = ARG_CHOICE, .fallback = "keep", .choices = duplicate_names, .help = "rows that stand there twice: keep, or drop all but the first" },
    { .name = "separator", .type = ARG_TEXT, .fallback = "nil", .help = "between cells; nil: seen from the first line" },
};

static bool make(const Args *given, const char *path, uint64_t seed, DataParts *out, Err *err)
{
    static const CsvHeader headers[] = { CSV_HEADER_AUTO, CSV_HEADER_YES, CSV_HEADER_NO };
    (void)seed;
    CsvOptions how = { .header = headers[args_int(given, "header")] };
    const char *separator = args_text(given, "separator"), *name = strrchr(path, '/');
    if (strlen(separator) > 1)
        return err_set(err, ERR_ARG, "csv: separator must be one character, got \"%s\"", separator);
    how.separator = separator[0];
    CsvTable *table = csv_load(path, &how, err);
    if (!table)
        return false;
    TableOptions options = { .target = args_text(given, "target"), .missing = (Missing)args_int(given, "missing"), .one_hot = args_int(given, "text") == 0,
                             .fill = args_float(given, "fill_value"), .unique = args_int(given, "duplicates") == 1 };
    *out = (DataParts){ .train = table_dataset(table, name ? name + 1 : path, &options, err) };
    csv_free(table);
    return out->train != NULL;
}

const DataSet set_csv = {
    .name = "csv",
    .doc = "data.csv(file, {target = nil, missing = \"error\", text = \"one_hot\", header = \"auto\"}): a table, plain, .gz or .xz.\n"
           "x [n, features] float32; y [n] int32 where the target is text or class numbers, else [n, 1] float32.",
    .path = "file",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .make = make,
};
