// SPDX-License-Identifier: MIT
/* Lua in hebb: one interpreter, owned by one thread (the lua thread, or the main thread where there is no dashboard). What it
 * needs from the faces it is given as functions by app; it knows neither screen nor terminal.
 *
 * A Script is made, used and freed by one thread, but for script_interrupt. */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/index.h"
#include "base/mailbox.h"
#include "train/control.h"

typedef enum { SAY_OUT, SAY_VALUE, SAY_NOTE, SAY_ERROR } SayKind;

typedef struct ScriptHost {
    void *ctx;
    /* Text for the user (print, values, notes, errors). Any thread; never waits for a screen. */
    void (*say)(void *ctx, SayKind kind, const char *text, size_t n);
    /* The names that can be completed changed; takes over the index. */
    void (*publish)(void *ctx, NameIndex *take);
    /* os.exit, or the quit command: leave soon with this status (the script call in progress is ended by an error). */
    void (*leave)(void *ctx, int status);
    /* A run began: the plain face starts to show its progress, with a bar or by lines alone; the dashboard looks at it. May be NULL. */
    void (*run_began)(void *ctx, Run *run, bool bar);
    /* Called several times a second while Lua waits for a run (plain progress). May be NULL. */
    void (*tick)(void *ctx);
    /* :theme NAME and other words for the screen; false: unknown. May be NULL (no screen). */
    bool (*screen)(void *ctx, const char *command, const char *argument, Err *err);
    /* Does a line wait to be run? Then the steps of jobs make way. May be NULL. */
    bool (*waiting)(void *ctx);
} ScriptHost;

typedef struct ScriptOptions {
    bool interactive; /* at the prompt: fit returns at once */
    bool prompt;      /* a prompt follows the script (hebb.prompt in Lua) */
    bool safe;        /* --safe: no files outside the folder, no shell, no init file */
    uint64_t seed;    /* of math.random, of weights, of fit */
    int columns;      /* width for printed values; 0: 80 */
    bool unicode;     /* box drawing and braille may be printed */
} ScriptOptions;

typedef struct Script Script;

/* Fails: ERR_MEM. */
MUST_USE Script *script_new(const ScriptHost *host, const ScriptOptions *options, Err *err);
void script_free(Script *script);

/* A file, or a text of n bytes whose chunk name is "=NAME", with arguments (`...` and the global `arg`). Errors of the user's
 * code are said through the host (message, the user's own lines) and returned as false with err->code set; err->text holds
 * the message. */
MUST_USE bool script_run_file(Script *script, const char *path, int argc, char *const *argv, Err *err);
MUST_USE bool script_run_text(Script *script, const char *text, size_t n, const char *chunk, int argc, char *const *argv, Err *err);

/* One entered block with the prompt's manners: expression values are printed (`;` silences, `_` keeps the last), "?name" and
 * "$ command", ":word argument". False: an error was said. */
bool script_enter(Script *script, const char *block);

/* The user's init file, if there is one (not when safe). */
bool script_run_init(Script *script);

void script_set_interactive(Script *script, bool interactive);
void script_set_columns(Script *script, int columns);

/* End the Lua code or the wait in progress. Any thread, also a signal handler. */
void script_interrupt(Script *script);
void script_clear_interrupt(Script *script);

/* Callbacks of runs that wait for Lua: serve what is queued. box is where they knock: poll it between entered blocks. */
void script_serve(Script *script);

/* Does a callback wait for script_serve, not only steps of jobs? */
bool script_asked(Script *script);
Mailbox *script_box(Script *script);

/* Wait for all runs still going (leaving a script). False: interrupted, or a run ended in failure (err). */
MUST_USE bool script_finish_runs(Script *script, Err *err);

/* Could this block run as it stands? With a Lua state of its own and no libraries: any one thread, not the lua thread's. */
typedef struct ScriptCheck ScriptCheck;
MUST_USE ScriptCheck *script_check_new(Err *err);
bool script_is_complete(ScriptCheck *check, const char *block);
void script_check_free(ScriptCheck *check);

/* Help text for a name ("nn.Dense", "Dense", "fit"), from the descriptors; false when unknown (err: nearest). Any thread. */
bool script_help(const char *name, Buf *out, Err *err);

#endif
