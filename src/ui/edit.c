// SPDX-License-Identifier: MIT
#include "ui/edit.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "ui/lex.h"
#include "ui/utf8.h"

#define INDENT 2 /* columns */

static int line_start(int point)
{
    while (point > 0 && rl_line_buffer[point - 1] != '\n')
        point--;
    return point;
}

static int line_end(int point)
{
    while (point < rl_end && rl_line_buffer[point] != '\n')
        point++;
    return point;
}

static int column_of(int point)
{
    int column = 0;
    for (int i = line_start(point); i < point; column++)
        i += (int)utf8_after(rl_line_buffer, (size_t)rl_end, (size_t)i);
    return column;
}

static int at_column(int start, int column)
{
    int end = line_end(start);
    while (column-- > 0 && start < end)
        start += (int)utf8_after(rl_line_buffer, (size_t)rl_end, (size_t)start);
    return start > end ? end : start;
}

/* ---- moving ---- */

static int wanted = -1; /* column, kept through a run of Up and Down */
static int command_up(int count, int key);
static int command_down(int count, int key);

static int column_wanted(void)
{
    if (wanted < 0 || (rl_last_func != command_up && rl_last_func != command_down))
        wanted = column_of(rl_point);
    return wanted;
}

static int command_up(int count, int key)
{
    int start = line_start(rl_point), column = column_wanted();
    if (count < 0)
        return command_down(-count, key);
    for (; count > 0; count--) {
        if (start == 0) {
            wanted = -1;
            return rl_get_previous_history(count, key);
        }
        start = line_start(start - 1);
        rl_point = at_column(start, column);
    }
    return 0;
}

static int command_down(int count, int key)
{
    int column = column_wanted();
    if (count < 0)
        return command_up(-count, key);
    for (; count > 0; count--) {
        int end = line_end(rl_point);
        if (end == rl_end) {
            wanted = -1;
            return rl_get_next_history(count, key);
        }
        rl_point = at_column(end + 1, column);
    }
    return 0;
}

/* Home and End: of the line, then of the block. */
static int command_home(int count, int key)
{
    int start = line_start(rl_point);
    if (start == rl_point)
        return rl_beg_of_line(count, key);
    rl_point = start;
    return 0;
}

static int command_end(int count, int key)
{
    int end = line_end(rl_point);
    if (end == rl_point || end == rl_end)
        return rl_end_of_line(count, key);
    rl_point = end;
    return 0;
}

/* ---- killing ---- */

static int command_kill_back(int count, int key)
{
    int start = line_start(rl_point), end = rl_point;
    (void)key;
    (void)count;
    if (start == end && start > 0)
        start--; /* at the beginning of a line: the newline before it */
    rl_kill_text(end, start);
    rl_point = start;
    return 0;
}

static int command_kill(int count, int key)
{
    int end = line_end(rl_point);
    if (count < 0)
        return command_kill_back(-count, key);
    if (end == rl_point && end < rl_end)
        end++;
    rl_kill_text(rl_point, end);
    return 0;
}

/* ---- blocks ---- */

static int indent_of(int start)
{
    int n = 0;
    while (start + n < rl_end && rl_line_buffer[start + n] == ' ')
        n++;
    return n;
}

void edit_newline(void)
{
    int start = line_start(rl_point);
    int indent = indent_of(start);
    if (indent > rl_point - start)
        indent = rl_point - start;
    if (lex_opens(rl_line_buffer + start, (size_t)(rl_point - start)))
        indent += INDENT;
    char text[128] = "\n";
    indent = indent > 100 ? 100 : indent;
    memset(text + 1, ' ', (size_t)indent);
    text[indent + 1] = 0;
    rl_insert_text(text);
}

void edit_dedent(void)
{
    int start = line_start(rl_point), end = line_end(rl_point);
    if (start == 0 || !lex_closes(rl_line_buffer + start, (size_t)(end - start)))
        return;
    int before = line_start(start - 1), indent = indent_of(start);
    int wants = indent_of(before);
    if (!lex_opens(rl_line_buffer + before, (size_t)(start - 1 - before)))
        wants -= INDENT;
    wants = wants < 0 ? 0 : wants;
    if (indent <= wants)
        return;
    rl_delete_text(start, start + indent - wants);
    rl_point -= indent - wants;
    if (rl_point < start)
        rl_point = start;
}

/* "> " or ">> " that a copy of a session brings along. */
static size_t sign_size(const char *text, size_t n)
{
    size_t i = 0;
    while (i < n && i < 2 && text[i] == '>')
        i++;
    return i && i < n && text[i] == ' ' ? i + 1 : 0;
}

static bool kept(unsigned char c)
{
    return c == '\n' || c == '\t' || (c >= ' ' && c != 0x7f);
}

void edit_paste(const char *text, size_t n)
{
    Buf clean = BUF_INIT;
    bool signs = sign_size(text, n) > 0;
    for (size_t i = 0; i < n; i++) {
        bool first = i == 0 || text[i - 1] == '\n' || text[i - 1] == '\r';
        if (signs && first)
            i += sign_size(text + i, n - i);
        if (i < n && text[i] == '\r') {
            if (i + 1 == n || text[i + 1] != '\n')
                buf_put(&clean, '\n');
        } else if (i < n && kept((unsigned char)text[i])) {
            buf_put(&clean, text[i]);
        }
    }
    while (clean.size && clean.data[clean.size - 1] == '\n' && !clean.failed)
        clean.size--;
    if (clean.size && !clean.failed) {
        rl_begin_undo_group();
        rl_insert_text(buf_text(&clean));
        rl_end_undo_group();
    }
    buf_fini(&clean);
}

/* ---- bindings ---- */

void edit_replace(Keymap map, rl_command_func_t *from, rl_command_func_t *to)
{
    for (int i = 0; i < KEYMAP_SIZE; i++) {
        if (map[i].type == ISFUNC && map[i].function == from)
            map[i].function = to;
        else if (map[i].type == ISKMAP && map[i].function)
            edit_replace((Keymap)(uintptr_t)map[i].function, from, to);
    }
}

/* Only behind prefixes: arrows, not ^P and ^N, which stay the quick way through the history. */
static void replace_behind(Keymap map, rl_command_func_t *from, rl_command_func_t *to)
{
    for (int i = 0; i < KEYMAP_SIZE; i++)
        if (map[i].type == ISKMAP && map[i].function)
            edit_replace((Keymap)(uintptr_t)map[i].function, from, to);
}

void edit_install(void)
{
    static const char *const maps[] = { "emacs-standard", "vi-insert", "vi-command" };
    rl_add_defun("hebb-line-up", command_up, -1);
    rl_add_defun("hebb-line-down", command_down, -1);
    for (int i = 0; i < 3; i++) {
        Keymap map = rl_get_keymap_by_name(maps[i]);
        replace_behind(map, rl_get_previous_history, command_up);
        replace_behind(map, rl_get_next_history, command_down);
        edit_replace(map, rl_beg_of_line, command_home);
        edit_replace(map, rl_end_of_line, command_end);
        edit_replace(map, rl_kill_line, command_kill);
        edit_replace(map, rl_unix_line_discard, command_kill_back);
    }
}
