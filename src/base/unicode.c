// SPDX-License-Identifier: MIT
/* Sorted runs, searched by halves; ASCII is answered without a search where texts spend their time. */
#include "base/unicode.h"

#include <stddef.h>

typedef struct CodeRun {
    uint32_t first, last;
} CodeRun;
typedef struct CaseRun {
    uint32_t first, last, step;
    int32_t delta;
} CaseRun;
typedef struct CodePair {
    uint32_t from, to;
} CodePair;
typedef struct BareRow {
    uint32_t from, to, second, third; /* third 0: there are two */
} BareRow;

#include "base/unitab.h"

/* The last row whose first number is at most `code`, NULL: none. Every row begins with its first code point. */
static const void *row_at(const void *rows, size_t n, size_t size, uint32_t code)
{
    const char *at = rows;
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (*(const uint32_t *)(const void *)(at + middle * size) <= code)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? at + (low - 1) * size : NULL;
}

#define ROW_AT(table, code) row_at(table, sizeof table / sizeof *table, sizeof *table, code)

static bool in_run(const CodeRun *run, uint32_t code)
{
    return run && code <= run->last;
}

bool unicode_is_letter(uint32_t code)
{
    if (code < 0x80)
        return (code | 0x20) >= 'a' && (code | 0x20) <= 'z';
    return in_run(ROW_AT(letters, code), code);
}

bool unicode_is_number(uint32_t code)
{
    if (code < 0x80)
        return code >= '0' && code <= '9';
    return in_run(ROW_AT(numbers, code), code);
}

bool unicode_is_space(uint32_t code)
{
    return code == ' ' || (code >= 9 && code <= 13) || code == 0x85 || code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) ||
           code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

bool unicode_is_punctuation(uint32_t code)
{
    if (code < 0x80)
        return code > ' ' && code < 0x7f && !unicode_is_letter(code) && !unicode_is_number(code);
    return in_run(ROW_AT(punctuation, code), code);
}

bool unicode_is_mark(uint32_t code)
{
    return code >= 0x300 && in_run(ROW_AT(marks, code), code);
}

bool unicode_is_control(uint32_t code)
{
    if (code < 0x80)
        return code < ' ' || code == 0x7f;
    return in_run(ROW_AT(controls, code), code);
}

bool unicode_is_ideograph(uint32_t code)
{
    static const CodeRun blocks[] = { { 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },   { 0xf900, 0xfaff },   { 0x20000, 0x2a6df },
                                      { 0x2a700, 0x2b73f }, { 0x2b740, 0x2b81f }, { 0x2b820, 0x2ceaf }, { 0x2f800, 0x2fa1f } };
    return code >= 0x3400 && in_run(ROW_AT(blocks, code), code);
}

uint32_t unicode_lower(uint32_t code)
{
    if (code < 0x80)
        return code >= 'A' && code <= 'Z' ? code | 0x20 : code;
    const CaseRun *run = ROW_AT(lower, code);
    if (!run || code > run->last || (code - run->first) % run->step != 0)
        return code;
    return (uint32_t)((int32_t)code + run->delta);
}

/* The parts of a Hangul syllable follow from its number (Unicode, chapter 3.12). */
static int hangul_parts(uint32_t code, uint32_t out[3])
{
    uint32_t number = code - 0xac00;
    out[0] = 0x1100 + number / 588;
    out[1] = 0x1161 + number % 588 / 28;
    out[2] = 0x11a7 + number % 28;
    return number % 28 ? 3 : 2;
}

int unicode_bare(uint32_t code, uint32_t out[3])
{
    out[0] = code;
    if (code < 0x80)
        return 1;
    if (unicode_is_mark(code))
        return 0;
    if (code >= 0xac00 && code <= 0xd7a3)
        return hangul_parts(code, out);
    const CodePair *pair = ROW_AT(bare, code);
    if (pair && pair->from == code)
        out[0] = pair->to;
    const BareRow *row = ROW_AT(bare_long, code);
    if (!row || row->from != code)
        return 1;
    out[0] = row->to;
    out[1] = row->second;
    out[2] = row->third;
    return row->third ? 3 : 2;
}
