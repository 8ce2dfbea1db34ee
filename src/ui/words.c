// SPDX-License-Identifier: MIT
#include <string.h>

#include "ui/panels.h"

/* Bytes of the next line: as many words as fit, or a piece of one that is too long. */
static size_t next_line(const char *text, int width)
{
    size_t at = 0, good = 0;
    int columns = 0, w;
    uint32_t code;
    for (size_t n; (n = canvas_next(text + at, &code, &w)) > 0; at += n) {
        if (code == ' ')
            good = at;
        if (columns + w > width)
            return good ? good : at ? at : n;
        columns += w;
    }
    return at;
}

int words_draw(Canvas *canvas, int x, int y, int width, int most, Style style, const char *text)
{
    int lines = 0;
    while (width > 0 && *text) {
        size_t n = next_line(text, width);
        bool last = lines == most - 1;
        if (last)
            canvas_text_cut(canvas, x, y + lines, width, style, text);
        else if (lines < most)
            canvas_textf(canvas, x, y + lines, width, style, "%.*s", (int)n, text);
        lines++;
        text += n;
        text += strspn(text, " ");
    }
    return lines;
}

void words_bar(Canvas *canvas, int x, int y, int width, Style style, double share)
{
    int eighths = share > 0 ? (int)((share < 1 ? share : 1) * width * 8 + 0.5) : 0;
    if (share > 0 && eighths == 0)
        eighths = 1; /* something is not nothing */
    for (int i = 0; i < width && eighths > 0; i++, eighths -= 8)
        canvas_put(canvas, x + i, y, style, eighths >= 8 ? 0x2588 : 0x2590 - (uint32_t)eighths);
}
