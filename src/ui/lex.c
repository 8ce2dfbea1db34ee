// SPDX-License-Identifier: MIT
#include "ui/lex.h"

#include <ctype.h>
#include <string.h>

static const char *const keywords[] = { "and",   "break", "do",  "else", "elseif", "end",    "false", "for",  "function", "goto",  "if",
                                        "in",    "local", "nil", "not",  "or",     "repeat", "return", "then", "true",     "until", "while" };

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_one_of(const char *text, size_t n, const char *const *words, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++)
        if (strlen(words[i]) == n && !memcmp(words[i], text, n))
            return true;
    return false;
}

/* Bytes of "[==[ … ]==]" at the beginning; n when it does not end; 0 when it is none. */
static size_t long_size(const char *text, size_t n)
{
    size_t level = 1;
    while (level < n && text[level] == '=')
        level++;
    if (n < 2 || text[0] != '[' || level >= n || text[level] != '[')
        return 0;
    for (size_t i = level + 1; i + level < n; i++)
        if (text[i] == ']' && text[i + level] == ']' && !memcmp(text + i + 1, text + 1, level - 1))
            return i + level + 1;
    return n;
}

static size_t string_size(const char *text, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (text[i] == '\\')
            i++;
        else if (text[i] == text[0])
            return i + 1;
        else if (text[i] == '\n')
            return i;
    }
    return n;
}

static size_t comment_size(const char *text, size_t n)
{
    size_t size = long_size(text + 2, n - 2);
    const char *end = memchr(text, '\n', n);
    return size ? size + 2 : end ? (size_t)(end - text) : n;
}

/* 12, 0x1p4, 3.5e-3 */
static size_t number_size(const char *text, size_t n)
{
    size_t i = 1;
    while (i < n && (isalnum((unsigned char)text[i]) || (text[i] == '.' && !(i + 1 < n && text[i + 1] == '.')) ||
                     ((text[i] == '-' || text[i] == '+') && strchr("eEpP", text[i - 1]))))
        i++;
    return i;
}

static size_t token(const char *text, size_t n, LexKind *kind)
{
    size_t i = 0;
    *kind = LEX_PLAIN;
    if (text[0] == '-' && n > 1 && text[1] == '-') {
        *kind = LEX_COMMENT;
        return comment_size(text, n);
    }
    if (text[0] == '"' || text[0] == '\'') {
        *kind = LEX_STRING;
        return string_size(text, n);
    }
    if (long_size(text, n)) {
        *kind = LEX_STRING;
        return long_size(text, n);
    }
    if (isdigit((unsigned char)text[0])) {
        *kind = LEX_NUMBER;
        return number_size(text, n);
    }
    while (i < n && is_word(text[i]))
        i++;
    if (i && is_one_of(text, i, keywords, sizeof keywords / sizeof *keywords))
        *kind = LEX_KEYWORD;
    return i ? i : 1;
}

void lex_kinds(const char *text, size_t n, uint8_t *kinds)
{
    for (size_t i = 0; i < n;) {
        LexKind kind;
        size_t size = token(text + i, n - i, &kind);
        size = size > n - i ? n - i : size;
        memset(kinds + i, kind, size);
        i += size;
    }
}

bool lex_opens(const char *line, size_t n)
{
    static const char *const openers[] = { "then", "do", "else", "repeat" };
    bool function = false, opens = false;
    int closed = 0; /* "end"s of functions on the same line */
    for (size_t i = 0; i < n;) {
        LexKind kind;
        size_t size = token(line + i, n - i, &kind);
        if (kind == LEX_KEYWORD) {
            opens = is_one_of(line + i, size, openers, 4);
            function |= size == 8 && !memcmp(line + i, "function", 8);
            closed += size == 3 && !memcmp(line + i, "end", 3);
        } else if (kind == LEX_PLAIN && !isspace((unsigned char)line[i])) {
            opens = line[i] == '{' || line[i] == '(' || (line[i] == ')' && function && !closed);
        } else if (kind != LEX_PLAIN && kind != LEX_COMMENT) {
            opens = false;
        }
        i += size;
    }
    return opens;
}

bool lex_closes(const char *line, size_t n)
{
    static const char *const closers[] = { "end", "else", "elseif", "until" };
    size_t i = 0, size = 0;
    while (i < n && (line[i] == ' ' || line[i] == '\t'))
        i++;
    while (i + size < n && is_word(line[i + size]))
        size++;
    return i < n && (line[i] == '}' || line[i] == ')' || is_one_of(line + i, size, closers, 4));
}
