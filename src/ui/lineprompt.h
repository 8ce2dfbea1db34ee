// SPDX-License-Identifier: MIT
/* The prompt in line mode: readline as it is everywhere, with hebb's history and completion. Main thread. */
#ifndef UI_LINEPROMPT_H
#define UI_LINEPROMPT_H

#include "ui/plain.h"

/* Until the user leaves. live: progress may be printed above the line that is being typed. Fails: ERR_IO. */
MUST_USE bool lineprompt_run(Plain *plain, bool live, const FaceHost *host, const FaceOptions *options, Err *err);

#endif
