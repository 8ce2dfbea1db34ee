// SPDX-License-Identifier: MIT
#include "ui/overlay.h"

#include <stdio.h>
#include <string.h>

#include "ui/view.h"

void overlay_fini(Overlay *overlay)
{
    buf_fini(&overlay->text);
    overlay->open = false;
}

void overlay_open(Overlay *overlay, const char *title, const char *text)
{
    buf_reset(&overlay->text);
    buf_puts(&overlay->text, text);
    snprintf(overlay->title, sizeof overlay->title, "%s", title);
    overlay->top = 0;
    overlay->open = true;
}

/* ---- the keys ---- */

/* What readline and the prompt do with keys that are in no table of ours. */
static const char *const editing[][2] = {
    { "Enter", "run the block; a new line while it is unfinished" },
    { "Alt-Enter", "a new line in any case" },
    { "Tab", "complete; again: the next candidate; Esc takes it back" },
    { "Up, Down", "lines of the block, then the history" },
    { "Ctrl-R", "search the history; Ctrl-P, Ctrl-N go through it" },
    { "Ctrl-C", "interrupt Lua, or clear the line (Ctrl-Y brings it back)" },
    { "Ctrl-L", "clear the scrollback from sight" },
    { "Ctrl-Z", "suspend; fg returns" },
    { "Ctrl-D", "leave, when the line is empty" },
    { "?name", "explains it; ?*part* searches" },
};

void overlay_open_keys(Overlay *overlay, const Screen *screen)
{
    Buf text = BUF_INIT;
    char leader[24], name[24];
    keys_name(KEYS_LEADER, leader);
    for (int i = 1; i < ACT_COUNT; i++) {
        const KeyRow *row = keys_row((Action)i);
        buf_printf(&text, "%s %c  %-9s %s\n", leader, row->letter, row->key ? keys_name(row->key, name) : "", row->help);
    }
    buf_puts(&text, "\nIn a focused pane the letters work without the leader, and Esc or Enter goes back to the prompt.\n\n");
    for (size_t i = 0; i < sizeof editing / sizeof *editing; i++)
        buf_printf(&text, "%-19s %s\n", editing[i][0], editing[i][1]);
    buf_puts(&text, "\nAll else is readline's, and ~/.inputrc's: the actions above have names there, such as hebb-pause.\n");
    if (screen) {
        ScreenStats stats;
        int w, h;
        screen_stats(screen, &stats);
        screen_size(screen, &w, &h);
        const Caps *caps = screen_caps(screen);
        buf_printf(&text, "\nScreen: %d x %d, %s%s; %llu frames, %llu bytes, at most %zu bytes and %.1f ms a frame\n", w, h, caps->name,
                   caps->unknown ? " (for an unknown one)" : "", (unsigned long long)stats.frames, (unsigned long long)stats.bytes,
                   stats.most_bytes, stats.most_s * 1e3);
    }
    overlay_open(overlay, "keys", buf_text(&text));
    buf_fini(&text);
}

/* ---- a text ---- */

void overlay_key(Overlay *overlay, int code)
{
    int page = overlay->rows > 1 ? overlay->rows - 1 : 1;
    if (code == KEY_UP || code == 'k')
        overlay->top--;
    else if (code == KEY_DOWN || code == 'j')
        overlay->top++;
    else if (code == KEY_PAGE_UP || code == 'b')
        overlay->top -= page;
    else if (code == KEY_PAGE_DOWN || code == ' ')
        overlay->top += page;
    else if (code == KEY_HOME)
        overlay->top = 0;
    else if (code == KEY_END)
        overlay->top = 1 << 20;
    else
        overlay->open = false;
}

/* Walk over the rows of the wrapped text; draw those from top on into the area. Returns how many there are. */
static int rows_walk(const char *text, int columns, Canvas *canvas, Rect area, int top, Style style)
{
    int row = 0;
    char part[1024];
    while (*text) {
        size_t line = strcspn(text, "\n");
        size_t done = 0;
        do {
            char whole[1024];
            snprintf(whole, sizeof whole, "%.*s", (int)(line - done), text + done);
            size_t n = view_wrap(whole, columns);
            snprintf(part, sizeof part, "%.*s", (int)n, whole);
            if (canvas && row >= top && row < top + area.h)
                canvas_text(canvas, area.x, area.y + row - top, area.w, style, part);
            row++;
            done += n ? n : line - done;
        } while (done < line);
        text += line + (text[line] == '\n');
    }
    return row;
}

void overlay_draw(Overlay *overlay, Canvas *canvas, const Theme *theme)
{
    int w = canvas->w - 4 < 100 ? canvas->w - 4 : 100;
    if (!overlay->open || w < 12 || canvas->h < 5)
        return;
    const char *text = buf_text(&overlay->text);
    int rows = rows_walk(text, w - 4, NULL, (Rect){ 0 }, 0, theme->base);
    int h = rows + 2 < canvas->h - 2 ? rows + 2 : canvas->h - 2;
    Rect box = { (canvas->w - w) / 2, (canvas->h - h) / 2, w, h };
    int most = rows - (h - 2);
    overlay->rows = h - 2;
    overlay->top = overlay->top > most ? most : overlay->top;
    overlay->top = overlay->top < 0 ? 0 : overlay->top;
    char state[64] = "Esc closes";
    if (most > 0)
        snprintf(state, sizeof state, "%d-%d of %d, arrows, Esc", overlay->top + 1, overlay->top + h - 2, rows);
    canvas_fill(canvas, box, theme->base);
    canvas_frame(canvas, box, theme->roles[ROLE_FOCUS], theme->roles[ROLE_FOCUS], overlay->title, theme->roles[ROLE_LABEL], state);
    rows_walk(text, w - 4, canvas, (Rect){ box.x + 2, box.y + 1, w - 4, h - 2 }, overlay->top, theme->roles[ROLE_TEXT]);
}

void overlay_ask(Canvas *canvas, const Theme *theme, const char *title, const char *text, const char *keys)
{
    int w = canvas->w - 4 < 64 ? canvas->w - 4 : 64;
    if (w < 12 || canvas->h < 5)
        return;
    int rows = rows_walk(text, w - 4, NULL, (Rect){ 0 }, 0, theme->base);
    Rect box = { (canvas->w - w) / 2, (canvas->h - rows - 4) / 2, w, rows + 4 };
    box.y = box.y < 0 ? 0 : box.y;
    canvas_fill(canvas, box, theme->base);
    canvas_frame(canvas, box, theme->roles[ROLE_FOCUS], theme->roles[ROLE_FOCUS], title, theme->roles[ROLE_LABEL], NULL);
    rows_walk(text, w - 4, canvas, (Rect){ box.x + 2, box.y + 1, w - 4, rows }, 0, theme->roles[ROLE_TEXT]);
    canvas_text(canvas, box.x + 2, box.y + rows + 2, w - 4, theme->roles[ROLE_KEY], keys);
}

/* ---- the bottom line ---- */

static int hint_put(Canvas *canvas, Rect area, int x, const Theme *theme, const char *key, const char *label)
{
    int need = canvas_width(key) + 1 + canvas_width(label);
    if (x + need > area.x + area.w)
        return x;
    x += canvas_text(canvas, x, area.y, -1, theme->roles[ROLE_KEY], key) + 1;
    x += canvas_text(canvas, x, area.y, -1, theme->roles[ROLE_LABEL], label);
    return x + 3;
}

void overlay_keys(Canvas *canvas, Rect area, const Theme *theme, bool leading, bool direct,
                  bool (*works)(const void *ctx, Action action), const void *ctx)
{
    char name[24], letter[2] = "";
    int x = area.x + 1;
    Rect room = { area.x, area.y, area.w - 9, 1 }; /* "F1 help" stands at the end */
    if (area.w < 20 || area.h < 1)
        return;
    if (leading) {
        Style on = theme->roles[ROLE_SELECT];
        x += canvas_text(canvas, x, area.y, -1, on, keys_name(KEYS_LEADER, name)) + 2;
    } else if (direct) {
        x = hint_put(canvas, room, x, theme, "Esc", "prompt");
    } else {
        x = hint_put(canvas, room, x, theme, keys_name(KEYS_LEADER, name), "then");
    }
    for (int i = 1; i < ACT_COUNT; i++) {
        const KeyRow *row = keys_row((Action)i);
        if (!*row->label || i == ACT_HELP || !works(ctx, (Action)i))
            continue;
        letter[0] = row->letter;
        x = hint_put(canvas, room, x, theme, letter, row->label);
    }
    hint_put(canvas, area, area.x + area.w - 8, theme, keys_name(keys_row(ACT_HELP)->key, name), keys_row(ACT_HELP)->label);
}
