// SPDX-License-Identifier: MIT
/* Two shapes. With a dashboard the main thread is the ui thread and Lua has a thread of its own (luathread.c), fed by a
 * mailbox of entered blocks. Without one the main thread runs Lua, and prints progress while it waits for runs. */
#define _GNU_SOURCE
#include "app/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "app/luathread.h"
#include "app/signals.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "script/script.h"
#include "train/control.h"
#include "ui/face.h"
#include "ui/plain.h"
#include "ui/theme.h"

#define SAVE_PATIENCE_S 20.0 /* runs get so long to reach a boundary and save when the program leaves */

static Script *current; /* for signal handlers */

static void interrupt_script(void)
{
    if (current)
        script_interrupt(current);
}

static uint64_t draw_seed(void)
{
    uint32_t seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
        seed = (uint32_t)(clock_wall() * 1e6);
    return seed % 1000000; /* short enough to be read out and typed */
}

static bool env_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static ScriptOptions script_options(const Options *options, bool interactive)
{
    ScriptOptions out = { .interactive = interactive, .prompt = interactive, .safe = options->safe, .columns = 80 };
    out.seed = options->seed_given ? options->seed : draw_seed();
    const char *charset = getenv("LC_ALL");
    if (!charset || !*charset)
        charset = env_set("LC_CTYPE") ? getenv("LC_CTYPE") : getenv("LANG");
    out.unicode = charset && (strstr(charset, "UTF-8") || strstr(charset, "utf8") || strstr(charset, "UTF8"));
    return out;
}

/* Let the trainers reach a boundary and save, and the recorder write. */
static void settle_runs(void)
{
    (void)control_settle(SAVE_PATIENCE_S);
}

/* ---- without a dashboard ---- */

typedef struct PlainSession {
    Plain *plain;
    Script *script;
    NameIndex *index; /* the newest, one reference */
    int status;       /* what os.exit asked for */
    bool left;
    bool prompt;      /* lines are typed, not only a script run */
} PlainSession;

static void plain_host_say(void *ctx, SayKind kind, const char *text, size_t n)
{
    static const LineKind kinds[] = { [SAY_OUT] = LINE_OUT, [SAY_VALUE] = LINE_VALUE, [SAY_NOTE] = LINE_NOTE, [SAY_ERROR] = LINE_ERROR };
    PlainSession *session = ctx;
    plain_say(session->plain, kinds[kind], text, n);
}

static void plain_host_publish(void *ctx, NameIndex *take)
{
    PlainSession *session = ctx;
    index_unref(session->index);
    session->index = take;
}

static void plain_host_leave(void *ctx, int status)
{
    PlainSession *session = ctx;
    session->status = status;
    session->left = true;
}

static void plain_host_run_began(void *ctx, Run *run, bool bar)
{
    PlainSession *session = ctx;
    plain_watch(session->plain, run, bar);
}

static void plain_host_tick(void *ctx)
{
    PlainSession *session = ctx;
    plain_tick(session->plain);
}

static bool read_all_input(Buf *out, Err *err)
{
    char part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof part, stdin)) > 0)
        buf_write(out, part, n);
    return ferror(stdin) ? err_set(err, ERR_IO, "could not be read") : buf_ok(out, err);
}

static bool run_given(PlainSession *session, const Options *options, Err *err)
{
    if (options->file && !script_run_file(session->script, options->file, options->argc, options->argv, err))
        return false;
    if (options->code)
        return script_run_text(session->script, options->code, strlen(options->code), "=(command line)", options->argc, options->argv, err);
    if (options->file)
        return true;
    Buf text = BUF_INIT;
    bool ok = read_all_input(&text, err);
    if (ok)
        ok = script_run_text(session->script, buf_text(&text), text.size, "=stdin", options->argc, options->argv, err);
    else
        fprintf(stderr, "hebb: standard input: %s\n", err->text);
    buf_fini(&text);
    return ok;
}

/* Nobody can see or type any more. */
static bool terminal_gone(void)
{
    return signals_hung_up() || !isatty(0);
}

/* Exit status of a script that has ended. Who leaves a prompt was told that runs stop and are saved; Ctrl-C there ended what
 * ran then. When the terminal is gone, runs go on to their ends. */
static int finish(PlainSession *session, bool ok, Err *err)
{
    if (ok && !session->left && (!session->prompt || terminal_gone()))
        ok = script_finish_runs(session->script, err);
    plain_tick(session->plain);
    if (signals_terminated() || (signals_interrupted() && !session->prompt)) {
        settle_runs();
        plain_tick(session->plain);
        return signals_terminated() ? 143 : 130;
    }
    settle_runs();
    plain_tick(session->plain);
    if (session->left)
        return session->status;
    return ok ? 0 : 1;
}

/* The prompt in line mode runs Lua on the same thread: entered blocks run at once. */
static void line_submit(void *ctx, const char *block)
{
    PlainSession *session = ctx;
    script_clear_interrupt(session->script);
    script_enter(session->script, block);
    script_serve(session->script);
    plain_tick(session->plain);
}

/* Nothing is typed: callbacks of runs have their turn. */
static void line_work(void *ctx)
{
    PlainSession *session = ctx;
    script_clear_interrupt(session->script);
    script_serve(session->script);
}

static void line_interrupt(void *ctx)
{
    (void)ctx;
    interrupt_script();
}

/* "Busy" for ever once os.exit was called: the prompt ends. */
static bool line_left(void *ctx)
{
    PlainSession *session = ctx;
    return session->left || signals_terminated() || signals_hung_up();
}

static int line_queued(void *ctx)
{
    (void)ctx;
    return 0;
}

static void line_clear(void *ctx)
{
    (void)ctx;
}

static ScriptCheck *line_check;

static bool line_complete(void *ctx, const char *block)
{
    (void)ctx;
    return !line_check || script_is_complete(line_check, block);
}

static NameIndex *line_index(void *ctx)
{
    PlainSession *session = ctx;
    return session->index ? index_ref(session->index) : NULL;
}

static const char *line_help(void *ctx, const char *name, Buf *out)
{
    (void)ctx;
    return script_help(name, out, NULL) ? buf_text(out) : NULL;
}

static bool line_prompt(PlainSession *session, const Options *options, Err *err)
{
    FaceHost host = { session, line_submit, line_interrupt, line_left, line_queued, line_clear, line_complete, line_index, line_help, line_work,
                      mailbox_fd(script_box(session->script)) };
    FaceOptions face = { .theme = options->theme, .no_history = options->safe };
    line_check = script_check_new(NULL);
    script_set_interactive(session->script, true);
    bool ok = plain_prompt(session->plain, &host, &face, err);
    script_check_free(line_check);
    line_check = NULL;
    return ok;
}

static int run_plain(const Options *options, bool prompt)
{
    Err err = ERR_INIT;
    PlainSession session = { .prompt = prompt };
    bool rewrite = !options->plain && !env_set("ACCESSIBLE") && isatty(2);
    session.plain = plain_new(rewrite, &err);
    ScriptHost host = { &session, plain_host_say, plain_host_publish, plain_host_leave, plain_host_run_began, plain_host_tick, NULL, NULL };
    ScriptOptions how = script_options(options, false);
    session.script = session.plain ? script_new(&host, &how, &err) : NULL;
    int status = 1;
    if (session.script) {
        current = session.script;
        signals_init(interrupt_script, interrupt_script);
        bool ok = true;
        if (prompt)
            script_run_init(session.script);
        if (options->file || options->code || !prompt)
            ok = run_given(&session, options, &err);
        if (prompt && !session.left && !signals_terminated())
            ok = line_prompt(&session, options, &err);
        status = finish(&session, ok, &err);
        current = NULL;
    } else {
        fprintf(stderr, "hebb: %s\n", err.text);
    }
    script_free(session.script);
    plain_free(session.plain);
    index_unref(session.index);
    return status;
}

/* ---- with a dashboard ---- */

/* What a watched script said went with the second screen: say it again where it stays. */
static void repeat_output(const Console *console)
{
    uint64_t first, end;
    Buf line = BUF_INIT;
    LineKind kind;
    console_range(console, &first, &end);
    if (first > 0)
        fprintf(stderr, "(%llu lines before these were dropped)\n", (unsigned long long)first);
    for (uint64_t i = first; i < end; i++) {
        buf_reset(&line);
        if (console_line(console, i, &line, &kind))
            fprintf(kind == LINE_OUT || kind == LINE_VALUE ? stdout : stderr, "%s\n", buf_text(&line));
        fflush(stdout);
    }
    buf_fini(&line);
}

/* A run has something new: the ui thread sleeps until it is told. */
static void wake_face(void *ctx)
{
    (void)ctx;
    face_wake();
}

static void show_drawn_seed(Console *console, uint64_t seed)
{
    char text[96];
    snprintf(text, sizeof text, "seed %llu; hebb --seed %llu draws the same numbers again\n", (unsigned long long)seed, (unsigned long long)seed);
    console_puts(console, LINE_NOTE, text);
}

static int run_dashboard(const Options *options)
{
    Err err = ERR_INIT;
    Console *console = console_new(&err);
    ScriptOptions how = script_options(options, true);
    LuaThread *lua = console ? luathread_new(console, &how, options, &err) : NULL;
    if (!lua) {
        fprintf(stderr, "hebb: %s\n", err.text);
        console_free(console);
        return 1;
    }
    if (!options->seed_given)
        show_drawn_seed(console, how.seed);
    signals_init(NULL, face_quit);
    FaceHost host = luathread_host(lua);
    FaceOptions face = { .theme = options->theme, .no_history = options->safe };
    telemetry_set_waker(wake_face, NULL);
    bool lost = false, ok = face_dashboard(&host, &face, console, &lost, &err);
    telemetry_set_waker(NULL, NULL);
    lost |= signals_hung_up();
    if (!ok)
        fprintf(stderr, "hebb: %s\n", err.text);
    if (lost) { /* nobody can see or type any more: the runs go on to their ends */
        signals_init(NULL, NULL);
        while (control_any_going() && !signals_terminated())
            clock_sleep(0.05);
    }
    int status = luathread_leave(lua, ok ? 0 : 1);
    settle_runs();
    if (options->watch && !lost)
        repeat_output(console);
    luathread_free(lua);
    console_free(console);
    return signals_terminated() ? 143 : status;
}

/* A theme that is not there or does not read is said before anything runs, whether or not it will be seen. */
static int check_theme(const char *name)
{
    Err err = ERR_INIT;
    Theme theme;
    if (!name || theme_load(&theme, name, DEPTH_NONE, &err))
        return 0;
    fprintf(stderr, "hebb: %s\n", err.text);
    return err.code == ERR_DATA ? 1 : 2;
}

int session_run(const Options *options)
{
    int refused = check_theme(options->theme);
    if (refused)
        return refused;
    bool given = options->file || options->code || options->input;
    bool terminal = isatty(0) && isatty(1);
    bool prompt = terminal && !options->input && (!given || options->then_prompt);
    bool wants = (prompt || (options->watch && terminal)) && !options->plain && !env_set("ACCESSIBLE");
    Err err = ERR_INIT;
    control_record(!options->safe);
    if (wants && face_possible(&err))
        return run_dashboard(options);
    if (wants)
        fprintf(stderr, "hebb: no dashboard here (%s); lines only\n", err.text);
    return run_plain(options, prompt);
}
