// SPDX-License-Identifier: MIT
/* Numbers that are read from the last row of a classroom: 3 x 5 pixels a character, in half blocks (3 x 3 cells) or, where
 * there is room, two cells a pixel (6 x 5 cells). */
#include <string.h>

#include "ui/panels.h"

/* Rows from the top, three bits each, the left pixel highest. */
static const struct {
    char letter;
    uint8_t wide, rows[5];
} font[] = {
    { '0', 3, { 7, 5, 5, 5, 7 } }, { '1', 3, { 2, 6, 2, 2, 7 } }, { '2', 3, { 7, 1, 7, 4, 7 } }, { '3', 3, { 7, 1, 7, 1, 7 } },
    { '4', 3, { 5, 5, 7, 1, 1 } }, { '5', 3, { 7, 4, 7, 1, 7 } }, { '6', 3, { 7, 4, 7, 5, 7 } }, { '7', 3, { 7, 1, 1, 2, 2 } },
    { '8', 3, { 7, 5, 7, 5, 7 } }, { '9', 3, { 7, 5, 7, 1, 7 } }, { '.', 1, { 0, 0, 0, 0, 4 } }, { '-', 2, { 0, 0, 6, 0, 0 } },
    { '+', 3, { 0, 2, 7, 2, 0 } }, { 'e', 3, { 7, 5, 7, 4, 7 } }, { '%', 3, { 5, 1, 2, 4, 5 } }, { ' ', 1, { 0, 0, 0, 0, 0 } },
    { 'N', 3, { 7, 5, 5, 5, 5 } }, { 'a', 3, { 7, 1, 7, 5, 7 } }, { 'i', 1, { 4, 0, 4, 4, 4 } }, { 'n', 3, { 0, 6, 5, 5, 5 } },
    { 'f', 3, { 3, 2, 7, 2, 2 } },
};

static int letter_index(char letter)
{
    for (int i = 0; i < (int)(sizeof font / sizeof font[0]); i++)
        if (font[i].letter == letter)
            return i;
    return 15; /* a blank */
}

int bigtype_width(const char *text, bool large)
{
    int columns = 0;
    for (; *text; text++)
        columns += (font[letter_index(*text)].wide + 1) * (large ? 2 : 1);
    return columns ? columns - (large ? 2 : 1) : 0;
}

static bool pixel(int letter, int row, int column)
{
    return row < 5 && font[letter].rows[row] >> (2 - column) & 1;
}

static void draw_letter(Canvas *canvas, int x, int y, Style style, int letter, bool large)
{
    for (int row = 0; row < BIGTYPE_ROWS(large); row++)
        for (int column = 0; column < font[letter].wide; column++) {
            if (large) {
                uint32_t glyph = pixel(letter, row, column) ? 0x2588 : ' ';
                canvas_put(canvas, x + 2 * column, y + row, style, glyph);
                canvas_put(canvas, x + 2 * column + 1, y + row, style, glyph);
            } else {
                bool top = pixel(letter, 2 * row, column), bottom = pixel(letter, 2 * row + 1, column);
                canvas_put(canvas, x + column, y + row, style, top && bottom ? 0x2588 : top ? 0x2580 : bottom ? 0x2584 : ' ');
            }
        }
}

void bigtype_draw(Canvas *canvas, int x, int y, Style style, const char *text, bool large)
{
    for (; *text; text++) {
        int letter = letter_index(*text);
        draw_letter(canvas, x, y, style, letter, large);
        x += (font[letter].wide + 1) * (large ? 2 : 1);
    }
}
