// SPDX-License-Identifier: MIT
/* Tables as text (RFC 4180, and what spreadsheets make of it): separators ',' ';' tab or '|', quoted fields with doubled
 * quotes and line breaks, LF, CRLF or CR, a byte order mark, no line end at the end; plain, gzip or xz. Whether the first
 * row is a header is told by its cells. Numbers have a point whatever the locale says (or a comma, if asked for).
 *
 * A column whose cells are all numbers or missing is a number column; any other is a text column, and its cells become
 * classes, numbered from 0 in the order of their bytes. Missing: an empty cell, NA, N/A, n/a, NaN, nan, null, NULL, None, ?
 * Bytes that are not UTF-8 are taken for Latin-1; control characters in names become blanks. Reading takes time and memory
 * in proportion to the file. Messages say file:line:column. A CsvTable owns all that it points to. */
#ifndef FORMATS_CSV_H
#define FORMATS_CSV_H

#include "base/buf.h"
#include "tensor/tensor.h"

typedef enum { CSV_HEADER_AUTO, CSV_HEADER_YES, CSV_HEADER_NO } CsvHeader;

typedef struct CsvOptions {
    char separator; /* 0: the commonest of , ; tab | in the first line */
    char decimal;   /* 0: '.' */
    CsvHeader header;
} CsvOptions;

typedef struct CsvColumn {
    const char *name; /* from the header, or "column_1" … */
    bool is_text;
    int64_t n_missing;
    int n_classes;              /* of a text column */
    const char *const *classes; /* sorted */
} CsvColumn;

typedef struct CsvTable {
    const char *path; /* as given, for messages */
    int64_t n_rows;   /* without the header; empty lines do not count */
    int n_columns;
    CsvColumn *columns;
    double *cells;    /* [n_rows, n_columns]: the number, or the class; NaN where missing */
    int64_t *lines;   /* [n_rows]: the line of the file on which the row begins, from 1 */
    bool has_header;
} CsvTable;

/* options may be NULL: all zero. A table may have no rows. Fails: ERR_IO, ERR_MEM; ERR_DATA for rows of different length, a
 * quote that does not close, an empty file, UTF-16 or binary data. */
MUST_USE CsvTable *csv_load(const char *path, const CsvOptions *options, Err *err);
MUST_USE CsvTable *csv_parse(const void *bytes, size_t n, const char *name, const CsvOptions *options, Err *err);
void csv_free(CsvTable *table);

/* The number of the first column of that name, or -1. */
int csv_find(const CsvTable *table, const char *name);

/* ---- writing ---- */

/* One cell at the end of out; quoted only where it must be. */
void csv_put_text(Buf *out, const char *text, char separator);
void csv_put_number(Buf *out, double value, bool single); /* see number_write */

/* A tensor of shape [N] or [N, C], one row a line, LF; a header line when names (C of them) are given. The numbers read back
 * as the same. Fails: ERR_SHAPE, ERR_IO, ERR_MEM. */
MUST_USE bool csv_save(const char *path, const Tensor *tensor, const char *const *names, Err *err);

#endif
