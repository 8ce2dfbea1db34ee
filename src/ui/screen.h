// SPDX-License-Identifier: MIT
/* The terminal as the dashboard's: raw input, the second screen, frames that never wait for a slow line.
 * One at a time; the ui thread owns it. Its descriptors are its own: standard input, output and error may be anything. */
#ifndef UI_SCREEN_H
#define UI_SCREEN_H

#include <stdint.h>
#include <sys/types.h>

#include "ui/canvas.h"
#include "ui/caps.h"

typedef struct Screen Screen;

typedef struct ScreenStats {
    uint64_t frames, bytes; /* frames that sent something; bytes in all */
    size_t last_bytes, most_bytes;
    double last_s, most_s;  /* seconds to find the differences of a frame */
} ScreenStats;

/* Is there a terminal on standard input and output that a dashboard can use? Changes nothing. Fails: ERR_IO. */
MUST_USE bool screen_possible(Err *err);

/* Choose LC_CTYPE from the environment (C.UTF-8 where it says nothing at all; LC_NUMERIC stays "C"). True: it is UTF-8. */
bool screen_locale(void);

/* Take the terminal. Fails: ERR_IO, ERR_MEM; the terminal is as it was. */
MUST_USE Screen *screen_open(Err *err);
void screen_close(Screen *screen); /* gives the terminal back as it was found */

const Caps *screen_caps(const Screen *screen);
void screen_size(const Screen *screen, int *w, int *h); /* asks the terminal; 80x24 when it does not know */

/* Give the terminal back for a while (suspension, a child program), and take it again. */
void screen_leave(Screen *screen);
void screen_enter(Screen *screen);
bool screen_foreground(const Screen *screen); /* may this process use the terminal now? */

/* Bytes that were typed: 0 when there are none now, -1 when the terminal is gone. */
int screen_input(const Screen *screen); /* descriptor to poll */
ssize_t screen_read(Screen *screen, char *out, size_t n);

/* Show this frame. While bytes of an earlier one still wait for the line (screen_busy) it does nothing: the next frame
 * brings what is newest then. Fails: ERR_IO when the terminal is gone, ERR_MEM. */
MUST_USE bool screen_paint(Screen *screen, const Canvas *canvas, int x, int y, Err *err);
bool screen_busy(const Screen *screen);
int screen_output(const Screen *screen); /* descriptor to poll for room while busy */
MUST_USE bool screen_flush(Screen *screen, Err *err);
void screen_forget(Screen *screen); /* paint everything next time */

void screen_stats(const Screen *screen, ScreenStats *out);

/* From a signal handler: the terminal as it was found, whatever happens next. Async-signal-safe. */
void screen_emergency(void);

#endif
