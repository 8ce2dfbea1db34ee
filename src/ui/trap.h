// SPDX-License-Identifier: MIT
/* Signals as something to poll: handlers note which came and wake the ui thread through a pipe that is never closed, so that
 * a late wake-up harms nobody. Installed while a dashboard is up; what was found is put back. */
#ifndef UI_TRAP_H
#define UI_TRAP_H

#include <stdbool.h>

#include "base/err.h"

/* Fails: ERR_IO. */
MUST_USE bool trap_install(Err *err);
void trap_restore(void);

int trap_fd(void);    /* readable after a signal or a wake-up; -1 before the first trap_install */
void trap_clear(void); /* before looking at what came */
void trap_wake(void); /* any thread, any handler */

bool trap_take(int signal); /* did it come since the last question? */

/* Stop this process as SIGTSTP does by default, and return when it goes on. */
void trap_suspend(void);

#endif
