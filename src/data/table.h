// SPDX-License-Identifier: MIT
/* A table of a file as a dataset: one column is the target, the others are features. */
#ifndef DATA_TABLE_H
#define DATA_TABLE_H

#include "data/dataset.h"
#include "formats/csv.h"

typedef enum { MISSING_REFUSE, MISSING_DROP, MISSING_MEAN, MISSING_KEEP, MISSING_MEDIAN, MISSING_CONSTANT } Missing;

typedef struct TableOptions {
    const char *target; /* name of the target's column, or its number from 1 as text; "" or NULL: no target */
    Missing missing;    /* cells without a value: an error, drop their rows, the column's mean, NaN, its median, or fill */
    double fill;        /* of MISSING_CONSTANT */
    bool unique;        /* rows that are the same in every column stand once: the first of them */
    bool one_hot;       /* a text column becomes a column for each of its values; false: its number */
} TableOptions;

/* x [N, F] float32. y [N]: int32 class numbers of a text column, or of one that holds whole numbers 0 … 999 in at most half as
 * many values as rows; else float32 [N, 1]. Fails: ERR_DATA with line and column, ERR_NAME for an unknown target, ERR_MEM. */
MUST_USE Dataset *table_dataset(const CsvTable *table, const char *name, const TableOptions *options, Err *err);

#endif
