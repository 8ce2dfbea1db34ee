// SPDX-License-Identifier: MIT
/* A pass over the text up to the point keeps a stack of open brackets (with the name that was called) and whether a string
 * or comment is open. */
#include "ui/complete.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MOST 64

typedef struct Bracket {
    char open;
    char name[COMPLETE_PATH]; /* what stands before it: "nn.Conv2D", "" */
    size_t key;               /* byte after the last '{' or ',' at this depth */
} Bracket;

typedef struct Scan {
    const char *text;
    size_t point;
    Bracket stack[DEPTH_MOST];
    int depth;
    size_t string;  /* content of an open string begins here; 0: none */
    char quote;
    bool comment;
} Scan;

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Where the chain a.b:c that ends at `end` begins. */
static size_t chain_start(const char *text, size_t end)
{
    size_t i = end;
    while (i > 0) {
        char c = text[i - 1];
        bool joint = (c == '.' || c == ':') && !(i > 1 && text[i - 2] == c) && !(i < end && text[i] == c);
        if (!is_word(c) && !joint)
            break;
        i--;
    }
    return i;
}

static void chain_copy(char out[COMPLETE_PATH], const char *text, size_t start, size_t end)
{
    size_t n = end - start < COMPLETE_PATH ? end - start : 0;
    memcpy(out, text + start, n);
    out[n] = 0;
}

/* The level of a long bracket "[==[" at i, or -1. */
static int long_level(const char *text, size_t i, size_t n)
{
    size_t k = i + 1;
    while (k < n && text[k] == '=')
        k++;
    return text[i] == '[' && k < n && text[k] == '[' ? (int)(k - i - 1) : -1;
}

/* The byte after "]==]", or n when it does not end. */
static size_t long_end(const char *text, size_t i, size_t n, int level)
{
    for (; i < n; i++) {
        size_t k = i + 1;
        if (text[i] != ']')
            continue;
        while (k < n && text[k] == '=')
            k++;
        if ((int)(k - i - 1) == level && k < n && text[k] == ']')
            return k + 1;
    }
    return n + 1;
}

/* Over a string, comment or long bracket that begins at i; returns where to go on, beyond the point when it is open there. */
static size_t scan_quoted(Scan *scan, size_t i)
{
    const char *text = scan->text;
    size_t n = scan->point;
    bool comment = text[i] == '-';
    size_t at = comment ? i + 2 : i;
    int level = at < n ? long_level(text, at, n) : -1;
    if (level >= 0) {
        size_t end = long_end(text, at + (size_t)level + 2, n, level);
        if (end > n) {
            scan->comment = comment;
            scan->string = comment ? 0 : at + (size_t)level + 2;
            scan->quote = 0;
        }
        return end;
    }
    if (comment) {
        const char *line = memchr(text + i, '\n', n - i);
        scan->comment = !line;
        return line ? (size_t)(line - text) : n + 1;
    }
    for (size_t k = i + 1; k < n; k++) {
        if (text[k] == '\\')
            k++;
        else if (text[k] == text[i] || text[k] == '\n')
            return k + 1;
    }
    scan->string = i + 1;
    scan->quote = text[i];
    return n + 1;
}

static void bracket_push(Scan *scan, size_t i)
{
    size_t end = i;
    if (scan->depth == DEPTH_MOST)
        return;
    Bracket *bracket = &scan->stack[scan->depth++];
    while (end > 0 && scan->text[end - 1] == ' ')
        end--;
    bracket->open = scan->text[i];
    bracket->key = i + 1;
    chain_copy(bracket->name, scan->text, chain_start(scan->text, end), end);
}

static void scan_run(Scan *scan)
{
    for (size_t i = 0; i < scan->point;) {
        char c = scan->text[i];
        bool dashes = c == '-' && i + 1 < scan->point && scan->text[i + 1] == '-';
        if (c == '"' || c == '\'' || dashes || (c == '[' && long_level(scan->text, i, scan->point) >= 0)) {
            i = scan_quoted(scan, i);
            continue;
        }
        if (c == '(' || c == '{' || c == '[')
            bracket_push(scan, i);
        else if ((c == ')' || c == '}' || c == ']') && scan->depth)
            scan->depth--;
        else if ((c == ',' || c == ';') && scan->depth)
            scan->stack[scan->depth - 1].key = i + 1;
        i++;
    }
}

/* "name = " between the last comma and the word. */
static void option_read(const Scan *scan, size_t from, size_t to, Word *word)
{
    const char *text = scan->text;
    while (from < to && isspace((unsigned char)text[from]))
        from++;
    size_t end = from;
    while (end < to && is_word(text[end]))
        end++;
    size_t i = end;
    while (i < to && text[i] == ' ')
        i++;
    word->key = from == to;
    if (i < to && text[i] == '=' && end > from && end - from < sizeof word->option)
        memcpy(word->option, text + from, end - from);
}

/* Which call's arguments stand here, and whether as options in a table. */
static void call_read(const Scan *scan, size_t start, Word *word)
{
    int top = scan->depth - 1;
    if (top < 0)
        return;
    const Bracket *inner = &scan->stack[top];
    word->table = inner->open == '{';
    const char *name = inner->name;
    if (word->table && !*name && top > 0 && scan->stack[top - 1].open == '(')
        name = scan->stack[top - 1].name;
    if (inner->open != '[')
        strcpy(word->call, name);
    if (word->table)
        option_read(scan, inner->key, start, word);
}

void complete_word(const char *text, size_t point, Word *word)
{
    Scan scan = { .text = text, .point = point };
    *word = (Word){ .kind = WORD_NAME, .start = point, .whole = point };
    scan_run(&scan);
    if (scan.comment) {
        word->kind = WORD_NONE;
        return;
    }
    if (scan.string) {
        word->kind = WORD_FILE;
        word->quote = scan.quote;
        word->whole = word->start = scan.string;
        for (size_t i = scan.string; i < point; i++)
            if (text[i] == '/')
                word->start = i + 1;
        call_read(&scan, scan.string - 1, word);
        return;
    }
    word->whole = chain_start(text, point);
    while (word->start > word->whole && is_word(text[word->start - 1]))
        word->start--;
    bool number = word->whole < point && isdigit((unsigned char)text[word->whole]);
    bool dangling = word->whole < point && !is_word(text[word->whole]); /* f(x).y: what f gives is not known */
    if (number || dangling)
        word->kind = WORD_NONE;
    call_read(&scan, word->whole, word);
}

const char *complete_signature(const NameIndex *index, const Word *word)
{
    size_t n;
    if (!*word->call)
        return NULL;
    const NameRow *rows = index_find(index, word->call, &n);
    for (size_t i = 0; i < n && !strcmp(rows[i].path, word->call); i++)
        if (*rows[i].about)
            return rows[i].about;
    return NULL;
}

bool complete_name_at(const char *text, size_t point, char out[COMPLETE_PATH])
{
    size_t end = point;
    while (is_word(text[end]))
        end++;
    if (end == point && point && text[point - 1] == '(') /* just behind the bracket: the function before it */
        end = point - 1;
    size_t start = chain_start(text, end);
    while (start < end && !is_word(text[start]))
        start++;
    if (start == end || isdigit((unsigned char)text[start]))
        return false;
    chain_copy(out, text, start, end);
    return *out != 0;
}
