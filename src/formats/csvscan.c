// SPDX-License-Identifier: MIT
#include "formats/csvscan.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "formats/number.h"

bool csvscan_refuse(const Scan *s, int64_t line, int64_t column, const char *format, const char *detail)
{
    char what[300];
    snprintf(what, sizeof what, format, detail);
    return err_set(s->err, ERR_DATA, "%s:%lld:%lld: %s", s->name, (long long)line, (long long)column, what);
}

static int64_t column_of(const Scan *s, const char *p)
{
    return p - s->line_start + 1;
}

/* ---- cells ---- */

static bool at_line_end(const Scan *s)
{
    return s->p == s->end || *s->p == '\n' || *s->p == '\r';
}

static void skip_line_end(Scan *s)
{
    if (s->p < s->end && *s->p++ == '\r' && s->p < s->end && *s->p == '\n')
        s->p++;
    s->line++;
    s->line_start = s->p;
}

static void skip_blanks(Scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || (*s->p == '\t' && s->separator != '\t')))
        s->p++;
}

/* Lines with nothing but blanks. */
void csvscan_skip_empty(Scan *s)
{
    while (s->p < s->end) {
        const char *start = s->p;
        skip_blanks(s);
        if (s->p == s->end)
            return;
        if (!at_line_end(s)) {
            s->p = start;
            return;
        }
        skip_line_end(s);
    }
}

static void end_cell(Scan *s, Cell *cell)
{
    cell->last = at_line_end(s);
    if (cell->last)
        skip_line_end(s);
    else
        s->p++;
}

/* Behind the opening quote. Line breaks inside count as lines. */
static bool read_quoted(Scan *s, Cell *cell)
{
    int64_t line = s->line, column = column_of(s, s->p - 1);
    buf_reset(&s->scratch);
    const char *piece = s->p;
    for (;; s->p++) {
        if (s->p == s->end)
            return csvscan_refuse(s, line, column, "a quoted text begins here and does not end%s", "");
        if (*s->p == '"') {
            buf_write(&s->scratch, piece, (size_t)(s->p - piece));
            if (s->p + 1 == s->end || s->p[1] != '"')
                break;
            piece = ++s->p; /* a doubled quote stands for one */
        } else if (*s->p == '\n' || (*s->p == '\r' && (s->p + 1 == s->end || s->p[1] != '\n'))) {
            s->line++;
            s->line_start = s->p + 1;
        }
    }
    s->p++;
    skip_blanks(s);
    if (!at_line_end(s) && *s->p != s->separator)
        return csvscan_refuse(s, s->line, column_of(s, s->p), "text behind the closing quote (a quote inside a quoted text is doubled: \"\")%s", "");
    if (!buf_ok(&s->scratch, s->err))
        return false;
    cell->text = buf_text(&s->scratch);
    cell->n = s->scratch.size;
    end_cell(s, cell);
    return true;
}

bool csvscan_cell(Scan *s, Cell *cell)
{
    skip_blanks(s);
    if (s->p < s->end && *s->p == '"') {
        s->p++;
        return read_quoted(s, cell);
    }
    const char *start = s->p;
    while (!at_line_end(s) && *s->p != s->separator)
        s->p++;
    const char *stop = s->p;
    while (stop > start && (stop[-1] == ' ' || stop[-1] == '\t'))
        stop--;
    cell->text = start;
    cell->n = (size_t)(stop - start);
    end_cell(s, cell);
    return true;
}

bool csvscan_missing(const Cell *cell)
{
    static const char *const words[] = { "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "?" };
    if (cell->n == 0)
        return true;
    if (cell->n > 4)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == cell->n && memcmp(words[i], cell->text, cell->n) == 0)
            return true;
    return false;
}

bool csvscan_number(const Cell *cell, char decimal, double *out)
{
    const char *end = cell->text + cell->n, *stop = number_scan(cell->text, end, decimal, out);
    return stop == end;
}

bool csvscan_plain_number(Scan *s, double *out, bool *last)
{
    const char *p = number_scan(s->p, s->end, s->decimal, out);
    if (!p || (p < s->end && *p != s->separator && *p != '\n' && *p != '\r'))
        return false;
    Cell cell;
    s->p = p;
    end_cell(s, &cell);
    *last = cell.last;
    return true;
}

/* ---- the first row ---- */

char csvscan_separator(const char *p, const char *end)
{
    static const char candidates[] = ",;\t|";
    int counts[4] = { 0 }, best = 0;
    bool quoted = false;
    for (; p < end && (quoted || (*p != '\n' && *p != '\r')); p++) {
        const char *found = memchr(candidates, *p, 4);
        quoted = quoted != (*p == '"');
        if (found && !quoted)
            counts[found - candidates]++;
    }
    for (int i = 1; i < 4; i++)
        if (counts[i] > counts[best])
            best = i;
    return candidates[best];
}

/* Count the cells; a header is a row in which no cell is a number and some cell is a text. */
bool csvscan_first_row(Scan *s, int *n_columns, bool *looks_like_header)
{
    Cell cell = { 0 };
    double value;
    int64_t n = 0;
    bool any_number = false, any_text = false;
    do {
        if (!csvscan_cell(s, &cell))
            return false;
        bool missing = csvscan_missing(&cell), number = !missing && csvscan_number(&cell, s->decimal, &value);
        any_number = any_number || number;
        any_text = any_text || (!missing && !number);
        n++;
    } while (!cell.last);
    if (n > INT_MAX / 2)
        return csvscan_refuse(s, 1, 1, "more columns than a table can have%s", "");
    *n_columns = (int)n;
    *looks_like_header = any_text && !any_number;
    return true;
}
