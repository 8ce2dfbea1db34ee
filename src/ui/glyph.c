// SPDX-License-Identifier: MIT
#include "ui/glyph.h"

#include <string.h>

#include "ui/utf8.h"

size_t glyph_decode(const char *text, uint32_t *code)
{
    size_t n = strnlen(text, 4);
    *code = 0;
    int size = utf8_decode(text, n, code);
    if (n == 0 || size > 0)
        return (size_t)size;
    *code = 0xFFFD;
    return 1;
}

typedef struct Range {
    uint32_t first, last;
} Range;

/* Beside what is hostile: formatting without a shape, and characters that delimit or tag. */
static const Range unseen[] = {
    { 0x061C, 0x061C }, { 0x180E, 0x180E }, { 0x200B, 0x200B },   { 0x2060, 0x2065 },
    { 0x206A, 0x206F }, { 0xFFF9, 0xFFFB }, { 0xE0000, 0xE00FF }, { 0xE01F0, 0xE0FFF },
};
static const Range dropped[] = { { 0x200C, 0x200D }, { 0xFE00, 0xFE0F }, { 0xE0100, 0xE01EF } };

static bool in_ranges(uint32_t code, const Range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

#define IN(code, ranges) in_ranges(code, ranges, sizeof ranges / sizeof ranges[0])

/* Frames, blocks and braille: one column, no look-up. */
static bool is_drawing(uint32_t code)
{
    return (code >= 0x2500 && code < 0x25A0) || (code >= 0x2800 && code < 0x2900);
}

bool glyph_dropped(uint32_t code)
{
    return code >= 0x200C && !is_drawing(code) && IN(code, dropped);
}

uint32_t glyph_visible(uint32_t code)
{
    if (code < 0x20)
        return 0x2400 + code;
    if (code < 0x7F || is_drawing(code))
        return code;
    if (code == 0x7F)
        return 0x2421;
    if (code == 0xAD) /* soft hyphen: drawn by some terminals, hidden by others */
        return '-';
    return utf8_hostile(code) || IN(code, unseen) ? 0xFFFD : code;
}

int glyph_width(uint32_t code)
{
    if (code < 0x300 || is_drawing(code))
        return 1;
    if (glyph_dropped(code))
        return 0;
    return glyph_visible(code) == 0xFFFD ? 1 : utf8_columns(code);
}

/* Stand-ins for what hebb itself draws. */
static const struct {
    uint32_t first, last;
    char stand_in;
} looks_like[] = {
    { 0x00B7, 0x00B7, '.' }, { 0x00D7, 0x00D7, 'x' }, { 0x2010, 0x2015, '-' }, { 0x2018, 0x2019, '\'' }, { 0x201C, 0x201D, '"' },
    { 0x2022, 0x2022, '*' }, { 0x2026, 0x2026, '~' }, { 0x2190, 0x2190, '<' }, { 0x2191, 0x2191, '^' },   { 0x2192, 0x2192, '>' },
    { 0x2193, 0x2193, 'v' }, { 0x2212, 0x2212, '-' }, { 0x2400, 0x2426, '?' },
    { 0x2500, 0x2500, '-' }, { 0x2501, 0x2501, '=' }, { 0x2502, 0x2503, '|' }, { 0x2504, 0x2505, '-' }, { 0x2506, 0x2507, ':' },   { 0x2508, 0x2509, '-' },
    { 0x250A, 0x250B, ':' }, { 0x250C, 0x251B, '+' }, { 0x251C, 0x254B, '+' }, { 0x254C, 0x254D, '-' },   { 0x254E, 0x254F, ':' },
    { 0x2550, 0x2550, '=' }, { 0x2551, 0x2551, '|' }, { 0x2552, 0x2570, '+' }, { 0x2574, 0x2574, '-' },   { 0x2576, 0x2576, '-' },
    { 0x2580, 0x2580, '"' }, { 0x2581, 0x2581, '_' }, { 0x2582, 0x2582, '.' }, { 0x2583, 0x2583, ':' },   { 0x2584, 0x2584, '-' },
    { 0x2585, 0x2585, '=' }, { 0x2586, 0x2586, '+' }, { 0x2587, 0x2587, '*' }, { 0x2588, 0x2588, '#' },   { 0x2589, 0x258B, '#' },
    { 0x258C, 0x258C, '=' }, { 0x258D, 0x258F, '-' }, { 0x2590, 0x2590, '#' }, { 0x2591, 0x2591, '.' },   { 0x2592, 0x2592, ':' },
    { 0x2593, 0x2593, '#' }, { 0x25B8, 0x25B8, '>' }, { 0x25CC, 0x25CC, 'o' },
};

char glyph_ascii(uint32_t code)
{
    if (code >= 0x20 && code < 0x7F)
        return (char)code;
    if (code == 0x2800)
        return ' ';
    if (code > 0x2800 && code < 0x2900)
        return ':';
    for (size_t i = 0; i < sizeof looks_like / sizeof looks_like[0]; i++)
        if (code >= looks_like[i].first && code <= looks_like[i].last)
            return looks_like[i].stand_in;
    return '?';
}
