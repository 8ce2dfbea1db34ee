// SPDX-License-Identifier: MIT
/* Bytes to code points and back. Pure functions, any thread. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at the beginning of n bytes: how many bytes it takes; 0: its end has not come yet; -1: the first byte is
 * malformed (overlong forms, surrogates and codes beyond U+10FFFF included). */
int utf8_decode(const char *bytes, size_t n, uint32_t *code);

/* Write a code point; returns the bytes used, 1 … 4. No zero is added. */
int utf8_encode(uint32_t code, char out[4]);

/* Is all of it well formed and whole? If not, *bad is the first byte (from 0) that is not. */
bool utf8_check(const char *bytes, size_t n, size_t *bad);

/* A control character, or one that would change how the text beside it reads (bidirectional overrides, line separators). */
bool utf8_hostile(uint32_t code);

#endif
