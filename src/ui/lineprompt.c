// SPDX-License-Identifier: MIT
/* Readline draws its own line here. A block of several lines is read line by line under a second sign and kept as one entry
 * of the history. While a line is typed SIGINT clears it; while Lua runs the handler found at the start has it. */
#include "ui/lineprompt.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "ui/complete.h"
#include "ui/history.h"
#include "ui/screen.h"

static struct {
    Plain *plain;
    const FaceHost *host;
    Buf block;      /* lines entered so far */
    bool ended;     /* end of input, or the host says so */
    bool warned;    /* that a run is in training */
    bool standing;  /* the line that is being typed is on the screen */
} self;

static atomic_bool interrupted; /* the handler may run on any thread that does not block the signal */

static void on_interrupt(int signal)
{
    (void)signal;
    atomic_store(&interrupted, true);
}

/* ---- completion by readline's list ---- */

static char *text_keep(const char *a, const char *b)
{
    size_t n = strlen(a) + strlen(b) + 1;
    char *out = malloc(n); /* readline frees it */
    if (out)
        snprintf(out, n, "%s%s", a, b);
    return out;
}

/* All matches, the common beginning first, as readline wants them. */
static char **matches_make(const Candidates *found)
{
    char **out = calloc(found->n + 2, sizeof *out);
    if (!out || !found->n) {
        free(out);
        return NULL;
    }
    if (found->n == 1) {
        out[0] = text_keep(found->items[0].text, found->items[0].after);
        return out;
    }
    out[0] = text_keep(found->items[0].text, "");
    if (out[0])
        out[0][found->common] = 0;
    for (size_t i = 0; i < found->n; i++)
        out[i + 1] = text_keep(found->items[i].text, "");
    return out;
}

/* Readline takes for the word what follows the last of these. */
static char *word_breaks(void)
{
    static char breaks[] = " \t\n\"'`@$><=;|&{}(.:/,+-*%^#~[])\\";
    return breaks;
}

static char **complete(const char *text, int start, int end)
{
    Word word;
    Candidates found;
    Err err;
    Buf whole = BUF_INIT;
    (void)text;
    rl_attempted_completion_over = 1;
    rl_completion_append_character = 0;
    rl_completion_suppress_append = 1;
    buf_write(&whole, self.block.data, self.block.size);
    size_t before = whole.size;
    buf_write(&whole, rl_line_buffer, (size_t)end);
    char **out = NULL;
    const char *line = buf_text(&whole);
    NameIndex *index = self.host->index(self.host->ctx);
    complete_word(line, whole.size, &word);
    if (word.start == before + (size_t)start && complete_find(index, line, whole.size, &word, &found, &err)) {
        out = matches_make(&found);
        complete_fini(&found);
    }
    index_unref(index);
    buf_fini(&whole);
    return out;
}

/* ---- lines ---- */

static void prompt_install(void);

static void block_run(void)
{
    Err err = ERR_INIT;
    const char *text = buf_text(&self.block);
    if (text[strspn(text, " \t\n")]) {
        if (!history_add_entry(text, &err)) {
            plain_say(self.plain, LINE_NOTE, err.text, strlen(err.text));
            plain_say(self.plain, LINE_NOTE, "\n", 1);
        }
        rl_callback_handler_remove(); /* the terminal in its usual mode while Lua runs */
        plain_set_typing(self.plain, false);
        self.host->submit(self.host->ctx, text);
        plain_set_typing(self.plain, true);
        self.ended |= self.host->busy(self.host->ctx);
    }
    buf_reset(&self.block);
}

static void line_entered(char *line)
{
    static const char warning[] = "a run is in training; Ctrl-D again leaves: it then stops at its next step and is saved\n";
    rl_callback_handler_remove();
    self.standing = false;
    if (!line && !self.warned && control_any_active()) {
        plain_say(self.plain, LINE_NOTE, "\n", 1);
        plain_say(self.plain, LINE_NOTE, warning, sizeof warning - 1);
        self.warned = true;
    } else if (!line) {
        plain_say(self.plain, LINE_NOTE, "\n", 1);
        self.ended = true;
    } else {
        self.warned = false;
        if (self.block.size)
            buf_put(&self.block, '\n');
        buf_puts(&self.block, line);
        const char *text = buf_text(&self.block);
        if (!*text || self.host->is_complete(self.host->ctx, text))
            block_run();
    }
    free(line);
    plain_tick(self.plain);
    if (!self.ended)
        prompt_install();
}

static void prompt_install(void)
{
    rl_callback_handler_install(self.block.size ? ". " : "> ", line_entered);
    self.standing = true;
}

static void line_cancel(void)
{
    atomic_store(&interrupted, false);
    rl_callback_sigcleanup();
    rl_free_line_state();
    fputs("^C\n", stdout);
    fflush(stdout);
    buf_reset(&self.block);
    rl_replace_line("", 1);
    rl_callback_handler_remove();
    prompt_install();
}

/* ---- above the line that is being typed ---- */

static void clear_line(void)
{
    if (!self.standing)
        return;
    rl_clear_visible_line();
    fflush(stdout);
    self.standing = false;
}

static void show_line(void)
{
    if (self.standing)
        return;
    rl_on_new_line();
    rl_redisplay();
    self.standing = true;
}

static void progress_above(void)
{
    if (plain_has_news(self.plain))
        plain_tick(self.plain);
    show_line();
}

/* Callbacks of runs. Ctrl-C is theirs meanwhile. */
static void work_above(const struct sigaction *theirs, const struct sigaction *ours)
{
    sigaction(SIGINT, theirs, NULL);
    self.host->work(self.host->ctx);
    self.ended |= self.host->busy(self.host->ctx); /* a callback left the program */
    sigaction(SIGINT, ours, NULL);
    show_line();
}

static void readline_start(const FaceOptions *options)
{
    Err err = ERR_INIT;
    screen_locale();
    rl_change_environment = 0;
    rl_readline_name = "hebb";
    rl_catch_signals = 0;
    rl_initialize();
    setlocale(LC_NUMERIC, "C");
    rl_attempted_completion_function = complete;
    rl_completion_word_break_hook = word_breaks;
    rl_completer_quote_characters = "";
    if (options->no_history)
        history_open_empty();
    else if (!history_open(options->history, &err))
        fprintf(stderr, "%s\n", err.text);
}

bool lineprompt_run(Plain *plain, bool live, const FaceHost *host, const FaceOptions *options, Err *err)
{
    struct sigaction ours = { .sa_handler = on_interrupt }, found;
    if (!isatty(0))
        return err_set(err, ERR_IO, "the prompt needs a terminal on standard input");
    self.plain = plain;
    self.host = host;
    self.ended = self.warned = false;
    atomic_store(&interrupted, false);
    readline_start(options);
    plain_set_above(plain, clear_line);
    plain_set_typing(plain, true);
    prompt_install();
    sigemptyset(&ours.sa_mask);
    sigaction(SIGINT, &ours, &found);
    while (!self.ended) {
        struct pollfd wait[2] = { { .fd = 0, .events = POLLIN }, { .fd = host->work ? host->work_fd : -1, .events = POLLIN } };
        int n = poll(wait, 2, 200);
        if (host->busy(host->ctx)) /* SIGTERM, SIGHUP */
            self.ended = true;
        else if (atomic_load(&interrupted))
            line_cancel();
        else if (n > 0 && wait[0].revents & POLLIN) {
            sigaction(SIGINT, &found, NULL); /* Lua may run in here */
            rl_callback_read_char();
            sigaction(SIGINT, &ours, NULL);
        } else if (n > 0 && !wait[0].revents) {
            work_above(&found, &ours);
        } else if (n > 0 || (n < 0 && errno != EINTR)) {
            self.ended = true; /* the terminal is gone */
        } else if (live && n == 0) {
            progress_above();
        }
    }
    sigaction(SIGINT, &found, NULL);
    rl_callback_handler_remove();
    plain_set_typing(plain, false);
    plain_set_above(plain, NULL);
    history_close();
    buf_fini(&self.block);
    return true;
}
