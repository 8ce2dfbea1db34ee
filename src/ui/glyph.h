// SPDX-License-Identifier: MIT
/* Characters as cells of a grid: width, and the one-column stand-in of those that must not reach a terminal. No state; any
 * thread. */
#ifndef UI_GLYPH_H
#define UI_GLYPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decode one character of UTF-8; returns bytes used, 0 at the end of the text. Malformed: one byte, U+FFFD. */
size_t glyph_decode(const char *text, uint32_t *code);

/* Columns: 0 (combining, or dropped), 1 or 2. Characters with a stand-in take its width. */
int glyph_width(uint32_t code);

/* Combining characters that are left out: joiners and variation selectors, on whose width terminals disagree. */
bool glyph_dropped(uint32_t code);

/* The character itself, or a visible stand-in for control characters, bidirectional overrides and invisible formatting. */
uint32_t glyph_visible(uint32_t code);

/* An ASCII character that looks most like it, '?' when none does. */
char glyph_ascii(uint32_t code);

#endif
