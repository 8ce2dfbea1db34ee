// SPDX-License-Identifier: MIT
/* What signals mean in hebb, in one place.
 *
 *   SIGINT            ends the Lua code or wait in progress; in a script also the runs, at their next boundary (exit 130)
 *   SIGTERM           stops all runs at a step boundary, saves, leaves
 *   SIGHUP            takes the screen away, never a run
 *   SIGPIPE           ignored: a closed pipe is an error of the write
 *   SEGV, ABRT, …     give the terminal back, then take their course
 *
 * The dashboard's thread installs its own handlers for WINCH, TSTP, CONT while it owns the terminal. */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

#include <stdbool.h>

/* Install, on the main thread. on_interrupt and on_term are called from the handler, on that thread: only async-signal-safe things there. */
void signals_init(void (*on_interrupt)(void), void (*on_term)(void));

bool signals_interrupted(void); /* SIGINT came */
bool signals_terminated(void);  /* SIGTERM came */
bool signals_hung_up(void);     /* SIGHUP came */

/* Descriptors 0, 1, 2 are open from now on (on /dev/null where they were closed), so that no data file becomes "stderr". */
void signals_guard_streams(void);

/* Block what the main thread handles in the calling (new) thread. */
void signals_block(void);

#endif
