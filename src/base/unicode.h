// SPDX-License-Identifier: MIT
/* What a code point is, and its plain forms, from the Unicode Character Database (unitab.h). Pure functions, any thread. */
#ifndef BASE_UNICODE_H
#define BASE_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

bool unicode_is_letter(uint32_t code);      /* categories L* */
bool unicode_is_number(uint32_t code);      /* N* */
bool unicode_is_space(uint32_t code);       /* White_Space, line ends included */
bool unicode_is_punctuation(uint32_t code); /* P*, and all of ASCII that is neither letter, digit, space nor control */
bool unicode_is_mark(uint32_t code);        /* Mn: accents that stand over or under a letter */
bool unicode_is_control(uint32_t code);     /* Cc and Cf */
bool unicode_is_ideograph(uint32_t code);   /* the blocks of CJK ideographs, as BERT's tokeniser lists them; no kana, no hangul */

/* Simple lower case: one code point for one. */
uint32_t unicode_lower(uint32_t code);

/* The canonical decomposition with the accents (Mn) left out: 0 … 3 code points into out; returns how many. */
int unicode_bare(uint32_t code, uint32_t out[3]);

#endif
