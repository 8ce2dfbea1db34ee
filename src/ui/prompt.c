// SPDX-License-Identifier: MIT
/* Order matters when readline starts: its environment switch before it looks at the terminal's size (or LINES and COLUMNS
 * are exported and later sizes ignored); our command names before it reads ~/.inputrc; our redisplay after it has read the
 * terminal's description (or it reads none).
 *
 * Bytes stand in a real queue: commands that read ahead (Ctrl-R with UTF-8, Ctrl-V) find the following byte there. Pasted
 * text never passes through it. What readline itself wants to write (bells, lists) goes to the empty file. */
#include "ui/prompt.h"

#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/mem.h"
#include "ui/edit.h"
#include "ui/history.h"
#include "ui/tab.h"

static struct {
    PromptSetup setup;
    FILE *null;
    Buf queue;    /* bytes for readline */
    size_t taken;
    char terminal[64];
    bool leading; /* the last byte was the leader and readline waits for what follows */
    View view;
} self;

/* ---- bytes to readline ---- */

static int byte_next(FILE *unused)
{
    (void)unused;
    if (self.taken < self.queue.size)
        return (unsigned char)self.queue.data[self.taken++];
    int c = self.setup.more ? self.setup.more(self.setup.ctx) : -1;
    return c >= 0 ? c : 7; /* nothing comes: Ctrl-G ends whatever asked */
}

static int byte_waits(void)
{
    return self.taken < self.queue.size;
}

static void redisplay_nothing(void)
{
    /* the next frame draws the line */
}

static void bytes_feed(const char *bytes, size_t n)
{
    if (self.taken == self.queue.size) {
        buf_reset(&self.queue);
        self.taken = 0;
    }
    buf_write(&self.queue, bytes, n);
    while (self.taken < self.queue.size)
        rl_callback_read_char();
}

/* ---- entering ---- */

/* What was entered as it stands in the scrollback: "> " first, ". " before further lines. */
static void block_echo(const char *block)
{
    Buf text = BUF_INIT;
    buf_puts(&text, "> ");
    for (const char *s = block; *s; s++) {
        buf_put(&text, *s);
        if (*s == '\n')
            buf_puts(&text, ". ");
    }
    buf_put(&text, '\n');
    console_puts(self.setup.console, LINE_INPUT, buf_text(&text));
    buf_fini(&text);
}

static void line_entered(char *line)
{
    Err err = ERR_INIT;
    if (!line) /* end of input, however it came: the face asks whether to leave */
        self.setup.act(self.setup.ctx, ACT_QUIT, 1);
    if (!line)
        return;
    self.view.bottom = VIEW_FOLLOW;
    if (line[strspn(line, " \t\n")]) {
        block_echo(line);
        if (!history_add_entry(line, &err)) {
            console_puts(self.setup.console, LINE_NOTE, err.text);
            console_puts(self.setup.console, LINE_NOTE, "\n");
        }
        self.setup.host->submit(self.setup.host->ctx, line);
    }
    free(line);
}

static int command_enter(int count, int key)
{
    const FaceHost *host = self.setup.host;
    if (tab_accept())
        return 0;
    edit_dedent();
    if (rl_end > 0 && !host->is_complete(host->ctx, rl_line_buffer)) {
        edit_newline();
        return 0;
    }
    return rl_newline(count, key);
}

static int command_line(int count, int key)
{
    (void)count;
    (void)key;
    edit_newline();
    return 0;
}

static int command_clear(int count, int key)
{
    uint64_t first;
    (void)count;
    (void)key;
    console_range(self.setup.console, &first, &self.view.cleared);
    self.view.bottom = VIEW_FOLLOW;
    self.setup.act(self.setup.ctx, ACT_REDRAW, 1);
    return 0;
}

static int command_tab(int count, int key)
{
    if (byte_waits()) { /* a flood of bytes is a paste without brackets */
        rl_insert_text("\t");
        return 0;
    }
    tab_press(self.setup.host, count < 0, key);
    return 0;
}

static int command_back_tab(int count, int key)
{
    (void)count;
    tab_press(self.setup.host, true, key);
    return 0;
}

#define X(id, letter, key_code, command, label, help) \
    static int command_##id(int count, int key) \
    { \
        (void)key; \
        self.setup.act(self.setup.ctx, ACT_##id, count); \
        return 0; \
    }
KEYS_ACTIONS(X)
#undef X

static rl_command_func_t *const actions[ACT_COUNT] = {
#define X(id, letter, key, command, label, help) [ACT_##id] = command_##id,
    KEYS_ACTIONS(X)
#undef X
};

/* ---- bindings ---- */

/* Bind unless the user, or readline itself, has put something else there. */
static void key_bind(const char *sequence, rl_command_func_t *command, Keymap map)
{
    int type = ISFUNC;
    rl_command_func_t *now = rl_function_of_keyseq_len(sequence, strlen(sequence), map, &type);
    bool is_free = !now || (type == ISFUNC && (now == rl_do_lowercase_version || now == rl_vi_movement_mode));
    if (!is_free)
        return;
    char escaped[64];
    size_t n = 0;
    for (const char *s = sequence; *s && n + 5 < sizeof escaped; s++)
        n += (size_t)snprintf(escaped + n, sizeof escaped - n, "\\%03o", (unsigned char)*s);
    rl_bind_keyseq_in_map(escaped, command, map);
}

static void map_bind(Keymap map)
{
    static const char *const extra[][2] = { { "\033[1~", "home" }, { "\033[4~", "end" }, { "\033[7~", "home" }, { "\033[8~", "end" } };
    for (int i = 1; i < ACT_COUNT; i++) {
        const KeyRow *row = keys_row((Action)i);
        char leader[3] = { KEYS_LEADER, row->letter, 0 };
        key_bind(leader, actions[i], map);
        for (int k = 0; row->key && keys_sequence(row->key, k); k++)
            key_bind(keys_sequence(row->key, k), actions[i], map);
    }
    for (size_t i = 0; i < sizeof extra / sizeof *extra; i++)
        key_bind(extra[i][0], extra[i][1][0] == 'h' ? rl_beg_of_line : rl_end_of_line, map);
    key_bind("\033[3~", rl_delete, map);
    key_bind("\033[1;5C", rl_forward_word, map);
    key_bind("\033[1;5D", rl_backward_word, map);
    key_bind("\033[1;3C", rl_forward_word, map);
    key_bind("\033[1;3D", rl_backward_word, map);
    key_bind("\033[Z", command_back_tab, map);
}

/* What readline would do on a line of its own becomes ours. */
static void map_replace(Keymap map)
{
    edit_replace(map, rl_vi_editing_mode, command_line); /* on Alt-Enter, a switch that few miss there */
    edit_replace(map, rl_newline, command_enter);
    edit_replace(map, rl_clear_screen, command_clear);
    edit_replace(map, rl_clear_display, command_clear);
    edit_replace(map, rl_complete, command_tab);
    edit_replace(map, rl_menu_complete, command_tab);
    edit_replace(map, rl_old_menu_complete, command_tab);
    edit_replace(map, rl_possible_completions, command_tab);
    edit_replace(map, rl_backward_menu_complete, command_back_tab);
}

static void commands_name(void)
{
    for (int i = 1; i < ACT_COUNT; i++)
        rl_add_defun(keys_row((Action)i)->command, actions[i], -1);
    rl_add_defun("hebb-newline", command_line, -1);
    rl_add_defun("hebb-complete", command_tab, -1);
}

/* Before ~/.inputrc is read, so that it has the last word; readline's own defaults for special keys give way to these. */
static void commands_bind(void)
{
    map_bind(rl_get_keymap_by_name("emacs-standard"));
    map_bind(rl_get_keymap_by_name("vi-insert"));
    Keymap command = rl_get_keymap_by_name("vi-command");
    for (int i = 1; i < ACT_COUNT; i++) {
        char leader[3] = { KEYS_LEADER, keys_row((Action)i)->letter, 0 };
        key_bind(leader, actions[i], command);
    }
}

static void commands_replace(void)
{
    map_replace(rl_get_keymap_by_name("emacs-standard"));
    map_replace(rl_get_keymap_by_name("vi-insert"));
    edit_replace(rl_get_keymap_by_name("vi-command"), rl_newline, command_enter);
    edit_install();
}

/* ---- life ---- */

bool prompt_open(const PromptSetup *setup, Err *err)
{
    static bool started;
    self.setup = *setup;
    self.leading = false;
    view_init(&self.view);
    self.null = fopen("/dev/null", "r+");
    if (!self.null)
        return err_set(err, ERR_IO, "/dev/null cannot be opened: the prompt needs it");
    rl_change_environment = 0;
    rl_readline_name = "hebb";
    snprintf(self.terminal, sizeof self.terminal, "%s", setup->terminal);
    rl_terminal_name = self.terminal; /* readline keeps the pointer */
    rl_instream = rl_outstream = self.null;
    rl_catch_signals = rl_catch_sigwinch = 0;
    rl_prep_term_function = NULL;
    rl_deprep_term_function = NULL;
    rl_getc_function = byte_next;
    rl_input_available_hook = byte_waits;
    if (!started) {
        commands_name();
        commands_bind();
    }
    rl_initialize();
    setlocale(LC_NUMERIC, "C");
    rl_redisplay_function = redisplay_nothing;
    rl_tty_set_echoing(0);
    rl_set_screen_size(24, 80);
    rl_variable_bind("enable-bracketed-paste", "off");
    rl_variable_bind("blink-matching-paren", "off");
    rl_variable_bind("bell-style", "none");
    if (!setup->utf8) { /* bytes as they come; readline takes them for Alt otherwise */
        rl_variable_bind("input-meta", "on");
        rl_variable_bind("convert-meta", "off");
    }
    if (!started)
        commands_replace();
    started = true;
    rl_callback_handler_install("> ", line_entered);
    return true;
}

void prompt_close(void)
{
    tab_close();
    rl_callback_handler_remove();
    rl_instream = rl_outstream = NULL;
    rl_getc_function = rl_getc;
    rl_input_available_hook = NULL;
    rl_redisplay_function = rl_redisplay;
    rl_tty_set_echoing(1);
    if (self.null)
        fclose(self.null);
    self.null = NULL;
    buf_fini(&self.queue);
    self.taken = 0;
}

void prompt_key(const char *bytes, size_t n, int code)
{
    bool searching = RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH);
    if (code == KEY_UNKNOWN && n > 1)
        return; /* a report of the terminal, not a key */
    if (tab_key(code))
        return;
    if (code == 4 && !rl_end && !searching && !self.leading) {
        self.setup.act(self.setup.ctx, ACT_QUIT, 1);
        return;
    }
    bytes_feed(bytes, n);
    self.leading = code == KEYS_LEADER && RL_ISSTATE(RL_STATE_MULTIKEY);
}

void prompt_paste(const char *text, size_t n)
{
    tab_close();
    if (RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH)) { /* its first line is what is searched for */
        size_t size = 0;
        while (size < n && (unsigned char)text[size] >= ' ')
            size++;
        bytes_feed(text, size);
        return;
    }
    edit_paste(text, n);
}

void prompt_cancel(void)
{
    tab_close();
    rl_free_line_state();
    rl_callback_sigcleanup();
    self.leading = false;
    if (rl_end > 0)
        rl_kill_text(0, rl_end); /* Ctrl-Y brings it back */
    rl_replace_line("", 1);
    rl_point = rl_mark = 0;
    using_history();
    rl_callback_handler_remove(); /* and again: no search, no argument, no half of a key is left */
    rl_callback_handler_install("> ", line_entered);
    self.view.bottom = VIEW_FOLLOW;
}

bool prompt_empty(void)
{
    return rl_end == 0;
}

const char *prompt_library(void)
{
    return rl_library_version;
}

bool prompt_leading(void)
{
    return self.leading;
}

bool prompt_listing(void)
{
    return tab_open();
}

View *prompt_view(void)
{
    return &self.view;
}

const char *prompt_text(void)
{
    return rl_line_buffer;
}

bool prompt_word(char out[COMPLETE_PATH])
{
    return complete_name_at(rl_line_buffer, (size_t)rl_point, out);
}

/* ---- drawing ---- */

/* Readline's prompt without the marks around what takes no room. */
static const char *sign_get(char out[256])
{
    size_t n = 0;
    for (const char *s = rl_display_prompt ? rl_display_prompt : "> "; *s && n < 255; s++)
        if (*s != RL_PROMPT_START_IGNORE && *s != RL_PROMPT_END_IGNORE)
            out[n++] = *s;
    out[n] = 0;
    return out;
}

static void signature_draw(Canvas *canvas, Rect area, const Theme *theme)
{
    Word word;
    NameIndex *index = self.setup.host->index(self.setup.host->ctx);
    complete_word(rl_line_buffer, (size_t)rl_point, &word);
    const char *about = index && word.kind != WORD_NONE ? complete_signature(index, &word) : NULL;
    if (about && area.w > 20 && area.y + area.h < canvas->h) {
        int used = canvas_text_cut(canvas, area.x + 2, area.y + area.h, area.w - 4, theme->roles[ROLE_NOTE], about);
        canvas_put(canvas, area.x + 1, area.y + area.h, theme->roles[ROLE_BORDER], ' ');
        canvas_put(canvas, area.x + 2 + used, area.y + area.h, theme->roles[ROLE_BORDER], ' ');
    }
    index_unref(index);
}

void prompt_draw(Canvas *canvas, Rect area, const Theme *theme, int *x, int *y)
{
    char sign[256];
    bool plain = rl_end > 0 && (rl_line_buffer[0] == '$' || rl_line_buffer[0] == '?');
    Edit edit = { .sign = sign_get(sign), .text = rl_line_buffer, .n = (size_t)rl_end, .point = (size_t)rl_point, .plain = plain };
    view_draw(&self.view, self.setup.console, &edit, canvas, area, theme, x, y);
    if (*x < 0)
        return;
    signature_draw(canvas, area, theme);
    tab_draw(canvas, *x, *y, theme);
}
