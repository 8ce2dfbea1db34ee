// SPDX-License-Identifier: MIT
#include "ui/tab.h"

#include <stdio.h>
#include <string.h>

#include <readline/readline.h>

#include "ui/complete.h"
#include "ui/keys.h"

static struct {
    Candidates found;
    bool open;
    int chosen;      /* -1: none yet */
    int start, end;  /* bytes of the line that a candidate replaces */
    char begun[COMPLETE_PATH]; /* what was typed there */
} list;

bool tab_open(void)
{
    return list.open;
}

void tab_close(void)
{
    complete_fini(&list.found);
    list.open = false;
}

/* Put a text in the place of the word. */
static void word_replace(const char *text)
{
    rl_begin_undo_group();
    rl_delete_text(list.start, list.end);
    rl_point = list.start;
    rl_insert_text(text);
    rl_end_undo_group();
    list.end = rl_point;
}

static void choose(int step)
{
    int n = (int)list.found.n;
    list.chosen = list.chosen < 0 && step < 0 ? n - 1 : (list.chosen + step + n) % n;
    word_replace(list.found.items[list.chosen].text);
}

/* The only candidate, with what naturally follows it. */
static void finish(const Candidate *only)
{
    char text[COMPLETE_PATH * 2 + 8];
    const char *after = only->after;
    if (rl_point < rl_end && rl_line_buffer[rl_point] == *after)
        after = "";
    snprintf(text, sizeof text, "%s%s", only->text, after);
    word_replace(text);
}

/* Add what all candidates share, when that continues what was typed; true when something was added. */
static bool extend(void)
{
    char text[COMPLETE_PATH * 2];
    snprintf(text, sizeof text, "%.*s", (int)list.found.common, list.found.items[0].text);
    if (list.found.common <= strlen(list.begun) || strncmp(text, list.begun, strlen(list.begun)))
        return false;
    word_replace(text);
    return true;
}

/* Nothing but blanks before the point in its line: Tab indents. */
static bool at_indent(void)
{
    int i = rl_point;
    while (i > 0 && (rl_line_buffer[i - 1] == ' ' || rl_line_buffer[i - 1] == '\t'))
        i--;
    return rl_end > 0 && (i == 0 || rl_line_buffer[i - 1] == '\n');
}

void tab_press(const FaceHost *host, bool back, int key)
{
    Word word;
    (void)key;
    if (list.open) {
        choose(back ? -1 : 1);
        return;
    }
    if (at_indent() && !back) {
        rl_insert_text("  ");
        return;
    }
    complete_word(rl_line_buffer, (size_t)rl_point, &word);
    NameIndex *index = host->index(host->ctx);
    Err err;
    bool ok = complete_find(index, rl_line_buffer, (size_t)rl_point, &word, &list.found, &err);
    index_unref(index);
    if (!ok || !list.found.n)
        return;
    list.start = (int)word.start;
    list.end = rl_point;
    list.chosen = -1;
    snprintf(list.begun, sizeof list.begun, "%.*s", list.end - list.start, rl_line_buffer + list.start);
    if (list.found.n == 1) {
        finish(&list.found.items[0]);
        tab_close();
        return;
    }
    extend();
    list.open = true;
}

bool tab_key(int code)
{
    if (!list.open)
        return false;
    if (code == KEY_TAB || code == KEY_BACKTAB)
        return false; /* comes back as a command */
    if (code == KEY_DOWN || code == KEY_UP) {
        choose(code == KEY_DOWN ? 1 : -1);
        return true;
    }
    if (code == KEY_ESCAPE || code == 7) {
        if (list.chosen >= 0)
            word_replace(list.begun);
        tab_close();
        return true;
    }
    if (code != KEY_ENTER && code != '\n')
        tab_close();
    return false;
}

bool tab_accept(void)
{
    bool kept = list.open && list.chosen >= 0;
    if (kept && !list.found.more) {
        const char *after = list.found.items[list.chosen].after;
        if (*after && !(rl_point < rl_end && rl_line_buffer[rl_point] == *after))
            rl_insert_text(after);
    }
    tab_close();
    return kept;
}

void tab_draw(Canvas *canvas, int x, int y, const Theme *theme)
{
    if (!list.open)
        return;
    int back = rl_point - list.start; /* under the beginning of the word, as far as it is on this row */
    view_candidates(&list.found, list.chosen, canvas, x > back ? x - back - 2 : x, y, theme);
}
