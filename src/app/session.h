// SPDX-License-Identifier: MIT
/* A session: the Lua interpreter, a face, and the threads between them, put together as the options say. */
#ifndef APP_SESSION_H
#define APP_SESSION_H

#include "app/options.h"

/* Returns the exit status. Main thread. */
int session_run(const Options *options);

#endif
