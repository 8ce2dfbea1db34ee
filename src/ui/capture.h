// SPDX-License-Identifier: MIT
/* While a dashboard is up, whatever libraries and child programs write to standard output and error becomes lines of the
 * console, and standard input is empty. Streams that are no terminal (2>log) are left alone. The ui thread. */
#ifndef UI_CAPTURE_H
#define UI_CAPTURE_H

#include "ui/console.h"

typedef struct Capture {
    int saved[3]; /* the streams as they were; -1: left alone */
    int pipes[3]; /* read ends; -1: none */
} Capture;

/* Fails: ERR_IO; the streams are as they were. */
MUST_USE bool capture_start(Capture *capture, Err *err);
void capture_stop(Capture *capture, Console *console);

/* Pass on what was written; false when there was nothing. */
bool capture_drain(Capture *capture, Console *console);

#endif
