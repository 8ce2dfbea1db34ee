// SPDX-License-Identifier: MIT
/* The edited block is laid out by one walk over its characters that gives each its row and column; it is walked first to
 * find how many rows there are and where the cursor is, then to draw those that fit. Console lines are wrapped from the
 * newest upwards until the rows are full. */
#include "ui/view.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ui/lex.h"
#include "ui/utf8.h"

#define TAB_STOP 4

void view_init(View *view)
{
    *view = (View){ .bottom = VIEW_FOLLOW };
}


/* ---- the edited block ---- */

typedef struct Walk {
    const Edit *edit;
    int columns;     /* of a row */
    int sign;        /* columns of the sign */
    size_t i;        /* byte of the next character */
    int row, column; /* where it goes */
    char shown[32];  /* it, with marks that stand on it; or its stand-in */
    int width;
} Walk;

static void walk_start(Walk *walk, const Edit *edit, int columns)
{
    int sign = canvas_width(edit->sign);
    sign = sign > columns - 4 ? columns - 4 : sign;
    *walk = (Walk){ .edit = edit, .columns = columns, .sign = sign < 0 ? 0 : sign, .column = sign < 0 ? 0 : sign };
}

/* Continued rows and further lines stand below the first character of a plain prompt. */
static void walk_row(Walk *walk)
{
    walk->row++;
    walk->column = walk->columns > 4 ? 2 : 0;
}

/* The character at i into shown and width; returns its bytes with the marks on it. */
static size_t walk_look(Walk *walk)
{
    const char *text = walk->edit->text + walk->i;
    uint32_t code = 0;
    int size = utf8_decode(text, walk->edit->n - walk->i, &code);
    if (size <= 0) {
        walk->width = utf8_seen_byte((unsigned char)*text, walk->shown);
        return 1;
    }
    if (code == '\t') {
        walk->width = TAB_STOP - walk->column % TAB_STOP;
        snprintf(walk->shown, sizeof walk->shown, "%*s", walk->width, "");
        return 1;
    }
    if (utf8_hostile(code)) {
        walk->width = utf8_seen(code, walk->shown);
        return (size_t)size;
    }
    size_t n = (size_t)size;
    walk->width = 0;
    uint32_t next;
    int more;
    while (walk->i + n < walk->edit->n && (more = utf8_decode(text + n, walk->edit->n - walk->i - n, &next)) > 0 &&
           utf8_columns(next) == 0 && !utf8_hostile(next) && n + (size_t)more < 16)
        n += (size_t)more;
    memcpy(walk->shown, text, n);
    walk->shown[n] = 0;
    walk->width = canvas_width(walk->shown);
    return n;
}

/* Room for the character at i; a newline has none. */
static size_t walk_place(Walk *walk)
{
    if (walk->edit->text[walk->i] == '\n')
        return 1;
    size_t n = walk_look(walk);
    if (walk->column + walk->width > walk->columns) {
        walk_row(walk);
        n = walk_look(walk); /* a tab's width depends on where it stands */
    }
    return n;
}

static void walk_on(Walk *walk, size_t n)
{
    if (walk->edit->text[walk->i] == '\n')
        walk_row(walk);
    else
        walk->column += walk->width;
    walk->i += n;
}

/* Rows in all, and the cursor's place. */
static int edit_measure(const Edit *edit, int columns, int *x, int *y)
{
    Walk walk;
    bool seen = false;
    walk_start(&walk, edit, columns);
    while (walk.i < edit->n) {
        size_t n = walk_place(&walk);
        if (!seen && edit->point < walk.i + n) {
            *x = walk.column;
            *y = walk.row;
            seen = true;
        }
        walk_on(&walk, n);
    }
    if (!seen) {
        if (walk.column >= walk.columns)
            walk_row(&walk);
        *x = walk.column;
        *y = walk.row;
    }
    return walk.row + 1;
}

static Style lex_style(const Theme *theme, uint8_t kind)
{
    static const Role roles[] = { [LEX_PLAIN] = ROLE_INPUT, [LEX_KEYWORD] = ROLE_KEY, [LEX_STRING] = ROLE_VALUE,
                                  [LEX_NUMBER] = ROLE_VALUE, [LEX_COMMENT] = ROLE_LABEL };
    return theme->roles[roles[kind]];
}

/* Draw rows top … top+h-1 of the block; at (x, y) the first of them. */
static void edit_draw(const Edit *edit, Canvas *canvas, Rect area, int top, const Theme *theme)
{
    Walk walk;
    uint8_t *kinds = edit->plain || !edit->n ? NULL : mem_zero(edit->n, 1, NULL); /* without memory: without colours */
    if (kinds)
        lex_kinds(edit->text, edit->n, kinds);
    walk_start(&walk, edit, area.w);
    if (top == 0)
        canvas_text(canvas, area.x, area.y, walk.sign, theme->roles[ROLE_PROMPT], edit->sign);
    while (walk.i < edit->n && walk.row < top + area.h) {
        size_t n = walk_place(&walk);
        int y = area.y + walk.row - top;
        if (walk.row >= top && walk.row < top + area.h && edit->text[walk.i] != '\n')
            canvas_text(canvas, area.x + walk.column, y, walk.width, lex_style(theme, kinds ? kinds[walk.i] : LEX_PLAIN), walk.shown);
        bool line = edit->text[walk.i] == '\n';
        walk_on(&walk, n);
        if (line && walk.row >= top && walk.row < top + area.h && area.w > 4)
            canvas_text(canvas, area.x, area.y + walk.row - top, 1, theme->roles[ROLE_BORDER], ".");
    }
    int left = area.w - walk.column;
    if (edit->ghost && walk.i == edit->n && walk.row >= top && walk.row < top + area.h && left > 0)
        canvas_text(canvas, area.x + walk.column, area.y + walk.row - top, left, theme->roles[ROLE_BORDER], edit->ghost);
    mem_free(kinds);
}

/* ---- the console ---- */

size_t view_wrap(const char *text, int columns)
{
    size_t i = 0, blank = 0;
    int used = 0;
    while (text[i]) {
        uint32_t code;
        int width;
        size_t n = canvas_next(text + i, &code, &width);
        if (used + width > columns && i > 0)
            return blank ? blank : i;
        used += width;
        i += n;
        if (code == ' ' && used > columns * 2 / 3)
            blank = i;
    }
    return i;
}

/* What stands before a line of this kind. */
static const char *kind_mark(LineKind kind, bool again)
{
    return kind == LINE_ERROR ? (again ? "  " : "! ") : "";
}

static Role kind_role(LineKind kind)
{
    static const Role roles[] = { [LINE_OUT] = ROLE_TEXT, [LINE_VALUE] = ROLE_VALUE, [LINE_NOTE] = ROLE_NOTE,
                                  [LINE_ERROR] = ROLE_TROUBLE, [LINE_INPUT] = ROLE_INPUT };
    return roles[kind];
}

static int line_rows(const char *text, int columns)
{
    int rows = 1;
    for (size_t n; *text && *(text + (n = view_wrap(text, columns))); text += n)
        rows++;
    return rows;
}

/* Draw rows from `skip` on of one line, from y down to the area's end. */
static void line_draw(const char *text, LineKind kind, bool again, int skip, Canvas *canvas, Rect area, int y, const Theme *theme)
{
    const char *mark = kind_mark(kind, again);
    int indent = (int)strlen(mark), row = 0;
    char part[2048];
    Style style = theme->roles[kind_role(kind)];
    for (;;) {
        size_t n = view_wrap(text, area.w - indent);
        int at = y + row - skip;
        if (row >= skip && at < area.y + area.h) {
            snprintf(part, sizeof part, "%.*s", (int)n, text);
            if (row == 0)
                canvas_text(canvas, area.x, at, -1, style, mark);
            if (kind == LINE_INPUT && row == 0 && n >= 2) {
                canvas_text(canvas, area.x, at, 2, theme->roles[*part == '>' ? ROLE_PROMPT : ROLE_BORDER], part);
                canvas_text(canvas, area.x + 2, at, area.w - 2, style, part + 2);
            } else {
                canvas_text(canvas, area.x + indent, at, area.w - indent, style, part);
            }
        }
        text += n;
        row++;
        if (!*text)
            break;
    }
}

/* The line after the first ones that fill so many rows. */
static uint64_t first_page(const Console *console, uint64_t first, uint64_t end, int columns, int rows)
{
    Buf text = BUF_INIT;
    uint64_t at = first;
    for (LineKind kind = LINE_OUT; at < end && rows > 0; at++) {
        buf_reset(&text);
        if (console_line(console, at, &text, &kind))
            rows -= line_rows(buf_text(&text), columns - (int)strlen(kind_mark(kind, false)));
    }
    buf_fini(&text);
    return at;
}

void view_scroll(View *view, const Console *console, int lines, int columns, int rows)
{
    uint64_t first, end;
    console_range(console, &first, &end);
    uint64_t at = view->bottom > end ? end : view->bottom;
    if (lines < 0) {
        uint64_t top = first_page(console, first, end, columns > 3 ? columns : 3, rows);
        at = at > top && at - top > (uint64_t)-lines ? at - (uint64_t)-lines : top;
    } else {
        at += (uint64_t)lines;
    }
    view->bottom = at >= end ? VIEW_FOLLOW : at;
}

typedef struct Shown {
    uint64_t line;
    int rows;
    LineKind kind;
} Shown;

/* The console's lines above `h` rows: fills the area from the top when there are fewer. Returns the rows used. */
static int console_draw(const View *view, const Console *console, Canvas *canvas, Rect area, const Theme *theme)
{
    uint64_t first, end;
    Shown *shown = mem_alloc((size_t)(area.h > 0 ? area.h : 1), sizeof *shown, NULL);
    Buf text = BUF_INIT;
    int rows = 0, n = 0;
    console_range(console, &first, &end);
    uint64_t bottom = view->bottom < end ? view->bottom : end;
    uint64_t least = view->bottom == VIEW_FOLLOW && view->cleared > first ? view->cleared : first;
    if (least > bottom)
        least = bottom;
    for (uint64_t i = bottom; shown && i > least && rows < area.h; i--, n++) {
        buf_reset(&text);
        shown[n] = (Shown){ .line = i - 1, .kind = LINE_OUT };
        if (console_line(console, i - 1, &text, &shown[n].kind))
            shown[n].rows = line_rows(buf_text(&text), area.w - (int)strlen(kind_mark(shown[n].kind, false)));
        rows += shown[n].rows;
    }
    int over = rows > area.h ? rows - area.h : 0, y = area.y;
    for (int k = n - 1; k >= 0; k--) {
        LineKind kind, before = LINE_OUT;
        buf_reset(&text);
        bool again = shown[k].kind == LINE_ERROR && shown[k].line > first && console_line(console, shown[k].line - 1, &text, &before) &&
                     before == LINE_ERROR;
        buf_reset(&text);
        int skip = k == n - 1 ? over : 0;
        if (shown[k].rows && console_line(console, shown[k].line, &text, &kind))
            line_draw(buf_text(&text), kind, again, skip, canvas, area, y, theme);
        y += shown[k].rows - skip;
    }
    buf_fini(&text);
    mem_free(shown);
    return rows - over;
}

void view_draw(const View *view, const Console *console, const Edit *edit, Canvas *canvas, Rect area, const Theme *theme, int *x, int *y)
{
    int cursor_x = 0, cursor_y = 0;
    *x = *y = -1;
    if (area.w < 3 || area.h < 1)
        return;
    int rows = edit_measure(edit, area.w, &cursor_x, &cursor_y);
    int most = area.h > 3 ? area.h - 1 : area.h; /* one line of what was said before stays */
    int h = rows < most ? rows : most;
    int top = cursor_y < h ? 0 : cursor_y - h + 1;
    canvas_clip(canvas, area);
    int used = console_draw(view, console, canvas, (Rect){ area.x, area.y, area.w, area.h - h }, theme);
    edit_draw(edit, canvas, (Rect){ area.x, area.y + used, area.w, h }, top, theme);
    *x = area.x + (cursor_x < area.w ? cursor_x : area.w - 1);
    *y = area.y + used + cursor_y - top;
    if (view->bottom != VIEW_FOLLOW)
        canvas_text_right(canvas, area.x, area.y + used - (used > 0), area.w, theme->roles[ROLE_SELECT], " older lines ");
    canvas_clip(canvas, (Rect){ 0, 0, -1, -1 });
}

/* ---- candidates ---- */

#define LIST_ROWS 8

void view_candidates(const Candidates *found, int chosen, Canvas *canvas, int x, int y, const Theme *theme)
{
    int rows = found->n < LIST_ROWS ? (int)found->n : LIST_ROWS, name_w = 8, about_w = 0;
    for (size_t i = 0; i < found->n; i++) {
        int w = canvas_width(found->items[i].shown), a = canvas_width(found->items[i].about);
        name_w = w > name_w ? w : name_w;
        about_w = a > about_w ? a : about_w;
    }
    name_w = name_w > 30 ? 30 : name_w;
    about_w = about_w > 60 ? 60 : about_w;
    int w = name_w + about_w + (about_w ? 4 : 2), h = rows + 2;
    w = w + 2 > canvas->w ? canvas->w - 2 : w;
    bool below = y + 1 + h <= canvas->h - 1 || y < h;
    Rect box = { x + w + 2 > canvas->w ? canvas->w - w - 2 : x, below ? y + 1 : y - h, w + 2, h };
    box.x = box.x < 0 ? 0 : box.x;
    int first = chosen < rows ? 0 : chosen - rows + 1;
    char count[64];
    snprintf(count, sizeof count, found->more ? "%d of more than %d" : "%d of %d", chosen + 1, (int)found->n);
    canvas_fill(canvas, box, theme->base);
    canvas_frame(canvas, box, theme->roles[ROLE_FOCUS], theme->roles[ROLE_FOCUS], NULL, theme->roles[ROLE_LABEL],
                 chosen >= 0 || (int)found->n > rows ? count : NULL);
    for (int i = 0; i < rows && first + i < (int)found->n; i++) {
        const Candidate *item = &found->items[first + i];
        bool is_chosen = first + i == chosen;
        Style style = theme->roles[is_chosen ? ROLE_SELECT : ROLE_TEXT];
        if (is_chosen)
            canvas_fill(canvas, (Rect){ box.x + 1, box.y + 1 + i, w, 1 }, style);
        canvas_text(canvas, box.x + 2, box.y + 1 + i, w - 2 < name_w ? w - 2 : name_w, style, item->shown);
        if (about_w && w - name_w - 4 > 0)
            canvas_text(canvas, box.x + 4 + name_w, box.y + 1 + i, w - name_w - 4, is_chosen ? style : theme->roles[ROLE_LABEL], item->about);
    }
}
