// SPDX-License-Identifier: MIT
/* What was entered, kept from one session to the next: a private file of one entry a line (a newline inside an entry is
 * written \n, a backslash \\), appended at once, so that a crash or another session loses nothing. In memory it is
 * readline's history. The ui thread. */
#ifndef UI_HISTORY_H
#define UI_HISTORY_H

#include "base/buf.h"
#include "base/err.h"

#define HISTORY_MOST 10000 /* entries; a file of twice as many is cut */

/* Read the file (NULL: $XDG_STATE_HOME/hebb/history); made with mode 0600 at the first entry. Fails: ERR_IO, ERR_DATA; the
 * history then lasts for this session only. */
MUST_USE bool history_open(const char *path, Err *err);

/* Remember in memory only. */
void history_open_empty(void);

/* Remember an entry and append it to the file. Blank ones, repetitions of the last one and those that begin with a space
 * are left out. Fails: ERR_IO (it is remembered in memory all the same). */
MUST_USE bool history_add_entry(const char *text, Err *err);
void history_close(void);

/* The line of an entry, and back. */
void history_escape(Buf *out, const char *text);
void history_unescape(Buf *out, const char *line, size_t n);

#endif
