// SPDX-License-Identifier: MIT
/* Lua as it is coloured while it is typed. Pure, any thread. */
#ifndef UI_LEX_H
#define UI_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { LEX_PLAIN, LEX_KEYWORD, LEX_STRING, LEX_NUMBER, LEX_COMMENT } LexKind;

/* The kind of each of n bytes. An unfinished string or comment reaches to the end. */
void lex_kinds(const char *text, size_t n, uint8_t *kinds);

/* Does a block of Lua indent what follows this line (it ends in then, do, {, function (…), …)? */
bool lex_opens(const char *line, size_t n);

/* Does the line begin with what takes an indentation back (end, else, until, }, …)? */
bool lex_closes(const char *line, size_t n);

#endif
