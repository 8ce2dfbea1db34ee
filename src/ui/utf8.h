// SPDX-License-Identifier: MIT
/* Bytes to characters, and what a terminal must never be sent. Pure functions, any thread. */
#ifndef UI_UTF8_H
#define UI_UTF8_H

#include "base/utf8.h"

#define UTF8_SEEN 12 /* room for the visible stand-in of a character, its zero included */

/* Visible stand-ins: ^[ for ESC, <202E>, <FF> for a malformed byte. Return the length. */
int utf8_seen(uint32_t code, char out[UTF8_SEEN]);
int utf8_seen_byte(unsigned char byte, char out[UTF8_SEEN]);

/* Columns of a printable character: 0 (combining), 1 or 2. Does not depend on the locale. */
int utf8_columns(uint32_t code);

/* Bytes of the character that ends at byte i (1 when malformed; 0 at the start) and of the one that begins there. */
size_t utf8_before(const char *text, size_t i);
size_t utf8_after(const char *text, size_t n, size_t i);

#endif
