// SPDX-License-Identifier: MIT
/* Walking over the cells of a table in text: the lower half of csv.c. A Scan belongs to one reader. */
#ifndef FORMATS_CSVSCAN_H
#define FORMATS_CSVSCAN_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

typedef struct Scan {
    const char *name;   /* of the file, for messages */
    const char *p, *end;
    const char *line_start;
    int64_t line;       /* from 1 */
    char separator, decimal;
    Buf scratch;        /* a quoted cell without its quotes, owned */
    Err *err;
} Scan;

typedef struct Cell {
    const char *text; /* borrowed from the file or the scratch until the next cell; blanks around it are gone */
    size_t n;
    bool last; /* of its row */
} Cell;

/* "file:line:column: …", ERR_DATA; the format holds one %s, for detail. Returns false. */
bool csvscan_refuse(const Scan *s, int64_t line, int64_t column, const char *format, const char *detail) PRINTF_LIKE(4, 0);

/* The commonest of , ; tab | outside quotes in the first line. */
char csvscan_separator(const char *p, const char *end);

/* Step over lines that hold nothing but blanks. */
void csvscan_skip_empty(Scan *s);

/* The next cell, and the separator or line end behind it. Fails: ERR_DATA, ERR_MEM. */
MUST_USE bool csvscan_cell(Scan *s, Cell *cell);

/* The commonest cell by far: a bare number up to a separator or line end. False, and nothing is read, when it is another. */
bool csvscan_plain_number(Scan *s, double *out, bool *last);

bool csvscan_missing(const Cell *cell);
bool csvscan_number(const Cell *cell, char decimal, double *out);

/* Read a row and count its cells. It looks like a header when none of them is a number and some are texts. */
MUST_USE bool csvscan_first_row(Scan *s, int *n_columns, bool *looks_like_header);

#endif
