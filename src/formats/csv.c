// SPDX-License-Identifier: MIT
/* One walk over the bytes fills the cells with numbers and notes the columns that hold a text. Only if there are any, a
 * second walk gives their cells numbers: all different texts of all columns stand in one hash table, are sorted by column
 * and text at the end, and their place in that order is the class. The hash is seeded by chance, so that no file can be
 * made to collide; the result does not depend on it. The table never holds more cells than the file has bytes. */
#include "formats/csv.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "formats/csvscan.h"
#include "formats/packed.h"

typedef struct Word {
    uint64_t hash;
    size_t at, n;     /* in Reader.text, with the closing zero byte */
    const char *text; /* the same place, once the text has its final one */
    int column, number;
} Word;

/* What csv_free needs besides the table. */
typedef struct Owner {
    CsvTable table; /* first */
    char *path;
    char *text;           /* all names and classes */
    const char **classes; /* of all columns */
} Owner;

typedef struct Reader {
    Scan scan;
    CsvTable *table;
    Buf text; /* names, then words, each ended by a zero byte */
    size_t *names; /* owned [n_columns]: where in text */
    Word *words; /* owned */
    int *slots;  /* owned: number of a word + 1, or 0 */
    int n_words, n_slots;
    uint64_t seed;
} Reader;

/* ---- texts ---- */

static size_t character_size(const unsigned char *p, size_t n)
{
    size_t size = p[0] < 0x80 ? 1 : p[0] >= 0xC2 && p[0] < 0xE0 ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : p[0] >= 0xF0 && p[0] < 0xF5 ? 4 : 0;
    if (size > n)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return size;
}

/* A cell as UTF-8 without control characters, ended by a zero byte. */
static void add_clean(Buf *out, const Cell *cell)
{
    const unsigned char *p = (const unsigned char *)cell->text;
    for (size_t i = 0; i < cell->n;) {
        size_t n = character_size(p + i, cell->n - i);
        if (n == 0) { /* Latin-1 */
            buf_put(out, p[i] < 0xA0 ? '?' : (char)(0xC0 | p[i] >> 6));
            if (p[i] >= 0xA0)
                buf_put(out, (char)(0x80 | (p[i] & 0x3F)));
            i++;
        } else if (n == 1 && (p[i] < ' ' || p[i] == 0x7F)) {
            buf_put(out, ' ');
            i++;
        } else {
            buf_write(out, p + i, n);
            i += n;
        }
    }
    buf_put(out, '\0');
}

static uint64_t hash_of(const Reader *r, const char *p, size_t n, int column)
{
    uint64_t h = rng_mix(r->seed, (uint64_t)column);
    for (; n > 0; p += 8) {
        uint64_t piece = 0;
        size_t size = n < 8 ? n : 8;
        memcpy(&piece, p, size);
        h = rng_mix(h, piece);
        n -= size;
    }
    return h;
}

static bool grow_words(Reader *r)
{
    if (r->n_slots > INT_MAX / 4)
        return err_set(r->scan.err, ERR_MEM, "%s: more different texts than can be held", r->scan.name);
    int n_slots = r->n_slots ? 2 * r->n_slots : 64;
    Word *words = mem_grow(r->words, (size_t)n_slots / 2, sizeof *words, r->scan.err);
    if (!words)
        return false;
    r->words = words;
    int *slots = mem_zero((size_t)n_slots, sizeof *slots, r->scan.err);
    if (!slots)
        return false;
    for (int i = 0; i < r->n_words; i++) {
        size_t at = (size_t)words[i].hash & (size_t)(n_slots - 1);
        while (slots[at])
            at = (at + 1) & (size_t)(n_slots - 1);
        slots[at] = i + 1;
    }
    mem_free(r->slots);
    r->slots = slots;
    r->n_slots = n_slots;
    return true;
}

/* The number of this text in this column. */
static bool intern(Reader *r, const Cell *cell, int column, int *out)
{
    if (r->n_words >= r->n_slots / 2 && !grow_words(r))
        return false;
    size_t start = r->text.size;
    add_clean(&r->text, cell);
    if (!buf_ok(&r->text, r->scan.err))
        return false;
    size_t n = r->text.size - start;
    const char *text = r->text.data + start;
    uint64_t hash = hash_of(r, text, n, column);
    size_t at = (size_t)hash & (size_t)(r->n_slots - 1);
    for (; r->slots[at]; at = (at + 1) & (size_t)(r->n_slots - 1)) {
        const Word *word = &r->words[r->slots[at] - 1];
        if (word->hash == hash && word->column == column && word->n == n && memcmp(r->text.data + word->at, text, n) == 0) {
            r->text.size = start;
            *out = r->slots[at] - 1;
            return true;
        }
    }
    r->words[r->n_words] = (Word){ .hash = hash, .at = start, .n = n, .column = column, .number = r->n_words };
    *out = r->n_words;
    r->slots[at] = ++r->n_words;
    return true;
}

/* ---- walking over the rows ---- */

static bool ragged(const Scan *s, int64_t line, int64_t found, int wanted)
{
    char counts[160];
    snprintf(counts, sizeof counts, "%lld cells, but the first row has %d; a text that holds the separator must stand in quotes",
             (long long)found, wanted);
    return csvscan_refuse(s, line, 1, "%s", counts);
}

static bool read_row(Reader *r, double *cells)
{
    Scan *s = &r->scan;
    CsvTable *table = r->table;
    int64_t line = s->line;
    bool last = false;
    for (int c = 0; c < table->n_columns; c++) {
        if (last)
            return ragged(s, line, c, table->n_columns);
        if (csvscan_plain_number(s, &cells[c], &last))
            continue;
        Cell cell;
        if (!csvscan_cell(s, &cell))
            return false;
        last = cell.last;
        if (csvscan_missing(&cell)) {
            cells[c] = (double)NAN;
            table->columns[c].n_missing++;
        } else if (!csvscan_number(&cell, s->decimal, &cells[c])) {
            table->columns[c].is_text = true;
        }
    }
    if (last)
        return true;
    int64_t found = table->n_columns;
    for (Cell cell = { 0 }; !cell.last; found++)
        if (!csvscan_cell(s, &cell))
            return false;
    return ragged(s, line, found, table->n_columns);
}

/* The same row again, for its texts. It is known to be whole. */
static bool read_row_texts(Reader *r, double *cells)
{
    for (int c = 0; c < r->table->n_columns; c++) {
        Cell cell;
        if (!csvscan_cell(&r->scan, &cell))
            return false;
        if (!r->table->columns[c].is_text || csvscan_missing(&cell))
            continue;
        int number;
        if (!intern(r, &cell, c, &number))
            return false;
        cells[c] = number;
    }
    return true;
}

static bool read_rows(Reader *r)
{
    CsvTable *table = r->table;
    Scan *s = &r->scan;
    Scan start = *s;
    for (csvscan_skip_empty(s); s->p < s->end; csvscan_skip_empty(s)) {
        table->lines[table->n_rows] = s->line;
        if (!read_row(r, table->cells + table->n_rows * table->n_columns))
            return false;
        table->n_rows++;
    }
    bool any_text = false;
    for (int c = 0; c < table->n_columns; c++)
        any_text = any_text || table->columns[c].is_text;
    if (!any_text)
        return true;
    start.scratch = s->scratch;
    *s = start;
    for (int64_t row = 0; row < table->n_rows; row++) {
        csvscan_skip_empty(s);
        if (!read_row_texts(r, table->cells + row * table->n_columns))
            return false;
    }
    return true;
}

/* ---- classes ---- */

static int by_column_and_text(const void *a, const void *b)
{
    const Word *x = a, *y = b;
    return x->column != y->column ? (x->column < y->column ? -1 : 1) : strcmp(x->text, y->text);
}

/* Words in order -> each column's classes, and in the cells the place among them. */
static bool number_classes(Reader *r, Owner *owner)
{
    CsvTable *table = r->table;
    owner->classes = mem_alloc((size_t)r->n_words, sizeof *owner->classes, r->scan.err);
    int *rank = mem_alloc((size_t)r->n_words, sizeof *rank, r->scan.err);
    if (!owner->classes || !rank) {
        mem_free(rank);
        return false;
    }
    for (int i = 0; i < r->n_words; i++)
        r->words[i].text = owner->text + r->words[i].at;
    if (r->n_words)
        qsort(r->words, (size_t)r->n_words, sizeof *r->words, by_column_and_text);
    for (int i = 0; i < r->n_words; i++) {
        CsvColumn *column = &table->columns[r->words[i].column];
        if (column->n_classes == 0)
            column->classes = owner->classes + i;
        owner->classes[i] = r->words[i].text;
        rank[r->words[i].number] = column->n_classes++;
    }
    for (int c = 0; c < table->n_columns; c++)
        for (int64_t row = 0; table->columns[c].is_text && row < table->n_rows; row++) {
            double *cell = &table->cells[row * table->n_columns + c];
            if (!isnan(*cell))
                *cell = rank[(int)*cell];
        }
    mem_free(rank);
    return true;
}

/* ---- the whole ---- */

static bool read_names(Reader *r)
{
    Scan *s = &r->scan;
    for (int c = 0; c < r->table->n_columns; c++) {
        Cell cell = { 0 };
        char number[32];
        if (r->table->has_header && !csvscan_cell(s, &cell))
            return false;
        if (cell.n == 0) {
            cell.text = number;
            cell.n = (size_t)snprintf(number, sizeof number, "column_%d", c + 1);
        }
        r->names[c] = r->text.size;
        add_clean(&r->text, &cell);
    }
    return buf_ok(&r->text, s->err);
}

/* The most rows there can be. */
static int64_t count_line_ends(const char *p, const char *end)
{
    int64_t n = 1;
    for (; p < end; p++)
        n += *p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n'));
    return n;
}

/* A row of C cells has C - 1 separators and a line end (but for the last), so there are no more cells than bytes. */
static bool reserve(Reader *r, CsvHeader header)
{
    Scan *s = &r->scan;
    CsvTable *table = r->table;
    Scan start = *s;
    bool looks_like_header;
    if (!csvscan_first_row(s, &table->n_columns, &looks_like_header))
        return false;
    start.scratch = s->scratch;
    *s = start;
    table->has_header = header == CSV_HEADER_YES || (header == CSV_HEADER_AUTO && looks_like_header);
    int64_t rows = count_line_ends(s->p, s->end), bytes = s->end - s->p;
    int64_t cells = rows > bytes / table->n_columns ? bytes + 1 : rows * table->n_columns;
    table->columns = mem_zero((size_t)table->n_columns, sizeof *table->columns, s->err);
    table->cells = mem_alloc((size_t)cells, sizeof *table->cells, s->err);
    table->lines = mem_alloc((size_t)rows, sizeof *table->lines, s->err);
    r->names = mem_alloc((size_t)table->n_columns, sizeof *r->names, s->err);
    return table->columns && table->cells && table->lines && r->names;
}

static bool read_table(Reader *r, Owner *owner, const CsvOptions *options)
{
    Scan *s = &r->scan;
    if (!reserve(r, options->header) || !read_names(r) || !read_rows(r))
        return false;
    owner->text = buf_take(&r->text);
    if (!owner->text)
        return err_set(s->err, ERR_MEM, "%s: out of memory", s->name);
    for (int c = 0; c < r->table->n_columns; c++)
        r->table->columns[c].name = owner->text + r->names[c];
    return number_classes(r, owner);
}

/* Things that are no text at all, said before a cell is looked at. */
static bool check_text(Scan *s)
{
    const unsigned char *p = (const unsigned char *)s->p;
    size_t n = (size_t)(s->end - s->p);
    if (n >= 2 && ((p[0] == 0xFF && p[1] == 0xFE) || (p[0] == 0xFE && p[1] == 0xFF)))
        return err_set(s->err, ERR_DATA, "%s: is UTF-16; save it as \"CSV UTF-8\"", s->name);
    if (n >= 4 && memcmp(p, "PK\3\4", 4) == 0)
        return err_set(s->err, ERR_DATA, "%s: is a ZIP archive or a spreadsheet (.xlsx, .ods); export the sheet as CSV", s->name);
    const char *zero = n ? memchr(s->p, 0, n) : NULL;
    if (zero)
        return err_set(s->err, ERR_DATA, "%s: byte %zu is a zero: not a text file (or UTF-16; save it as \"CSV UTF-8\")", s->name,
                       (size_t)(zero - s->p));
    if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        s->line_start = s->p += 3;
    csvscan_skip_empty(s);
    return s->p < s->end || err_set(s->err, ERR_DATA, "%s: holds no table: it is empty", s->name);
}

CsvTable *csv_parse(const void *bytes, size_t n, const char *name, const CsvOptions *options, Err *err)
{
    static const CsvOptions usual = { 0 };
    options = options ? options : &usual;
    Owner *owner = mem_zero(1, sizeof *owner, err);
    if (!owner)
        return NULL;
    const char *p = n ? bytes : "";
    Reader r = { .scan = { .name = name, .p = p, .end = p + n, .line_start = p, .line = 1, .err = err }, .table = &owner->table };
    r.seed = rng_mix((uint64_t)(uintptr_t)owner, (uint64_t)(clock_now() * 1e9));
    r.scan.decimal = options->decimal ? options->decimal : '.';
    owner->path = mem_copy_text(name, err);
    owner->table.path = owner->path;
    bool ok = owner->path && check_text(&r.scan);
    if (ok) {
        r.scan.separator = options->separator ? options->separator : csvscan_separator(r.scan.p, r.scan.end);
        if (r.scan.separator == r.scan.decimal)
            ok = err_set(err, ERR_ARG, "%s: '%c' cannot be both the separator and the decimal mark; name the separator", name, r.scan.decimal);
        ok = ok && read_table(&r, owner, options);
    }
    buf_fini(&r.scan.scratch);
    buf_fini(&r.text);
    mem_free(r.names);
    mem_free(r.words);
    mem_free(r.slots);
    if (ok)
        return &owner->table;
    csv_free(&owner->table);
    return NULL;
}

CsvTable *csv_load(const char *path, const CsvOptions *options, Err *err)
{
    Buf bytes = BUF_INIT;
    CsvTable *table = packed_read(path, &bytes, err) ? csv_parse(bytes.data, bytes.size, path, options, err) : NULL;
    buf_fini(&bytes);
    return table;
}

void csv_free(CsvTable *table)
{
    if (!table)
        return;
    Owner *owner = (Owner *)table;
    mem_free(table->columns);
    mem_free(table->cells);
    mem_free(table->lines);
    mem_free(owner->path);
    mem_free(owner->text);
    mem_free(owner->classes);
    mem_free(owner);
}

int csv_find(const CsvTable *table, const char *name)
{
    for (int c = 0; c < table->n_columns; c++)
        if (strcmp(table->columns[c].name, name) == 0)
            return c;
    return -1;
}
