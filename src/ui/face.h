// SPDX-License-Identifier: MIT
/* The two faces of the program. `app` makes one, gives it what it needs from the rest, and hands it a thread.
 *
 *   dashboard  owns the terminal, curses and readline; runs on the main thread until the user leaves
 *   plain      lines on standard output and progress on standard error; no thread of its own
 *
 * Everything that other threads say to a face goes through a Console (ui/console.h) or face_wake. */
#ifndef UI_FACE_H
#define UI_FACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/index.h"
#include "ui/console.h"

/* What a face asks of the rest. Filled by app; every function may be called from the face's thread and returns soon. */
typedef struct FaceHost {
    void *ctx;
    void (*submit)(void *ctx, const char *block);      /* the user entered a whole block: queue it for Lua */
    void (*interrupt)(void *ctx);                      /* Ctrl-C while Lua is busy or waiting */
    bool (*busy)(void *ctx);                           /* Lua runs, or lines are queued */
    int (*queued)(void *ctx);                          /* lines waiting behind the running one */
    void (*clear_queue)(void *ctx);
    bool (*is_complete)(void *ctx, const char *block); /* could this block run as it stands? false: it wants more lines */
    NameIndex *(*index)(void *ctx);                    /* a reference, or NULL */
    const char *(*help)(void *ctx, const char *name, Buf *out); /* help text for name into out; NULL when unknown */
    /* Where the line prompt's thread is Lua's: work is called when this descriptor can be read while a line is typed. NULL: none. */
    void (*work)(void *ctx);
    int work_fd;
} FaceHost;

typedef struct FaceOptions {
    const char *theme;      /* --theme; NULL: from the environment and the terminal */
    bool no_history;        /* --safe */
    const char *history;    /* file, NULL: the XDG one */
} FaceOptions;

/* What the screen has cost so far; of the last dashboard once it is closed. The ui thread. */
typedef struct FaceStats {
    uint64_t frames, bytes; /* frames that sent something; bytes in all */
    size_t most_bytes;      /* of a frame */
    double most_s;          /* seconds to find the differences of a frame */
} FaceStats;

void face_stats(FaceStats *out);

/* Run the dashboard on the calling (main) thread, which from now on owns the terminal. Returns when face_quit was called or
 * the terminal is gone (*lost is set); the terminal is as it was found. While it runs it handles SIGINT (as Ctrl-C), SIGTSTP,
 * SIGCONT, SIGWINCH, SIGTERM and SIGHUP; the last two end it, and are raised again for the handlers found at the start. Fails: ERR_IO when standard input and output are no
 * terminal that can show it (nothing was changed then, use the plain face). */
MUST_USE bool face_dashboard(const FaceHost *host, const FaceOptions *options, Console *console, bool *lost, Err *err);

/* Can this terminal show the dashboard? False with a sentence why not. */
MUST_USE bool face_possible(Err *err);

/* Look again: something was written, a run changed, Lua became idle. Any thread, also a signal handler. */
void face_wake(void);

/* Leave the dashboard soon. Any thread. */
void face_quit(void);

/* Restore the terminal from a fatal-signal handler: async-signal-safe, does nothing when no dashboard is up. */
void face_emergency(void);

#endif
