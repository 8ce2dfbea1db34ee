// SPDX-License-Identifier: MIT
/* A file of text: unpacked when it is gzip or xz, checked to be UTF-8, its line ends made plain. Any thread. */
#ifndef FORMATS_TEXTFILE_H
#define FORMATS_TEXTFILE_H

#include "base/buf.h"
#include "base/err.h"

/* The file's text into out, which must be empty: without a byte order mark, lines ended by \n (\r\n and a lone \r become one).
 * Fails: ERR_IO; ERR_DATA with line and byte for what is not UTF-8 (UTF-16 is named), and as packed_read; ERR_MEM. */
MUST_USE bool textfile_read(const char *path, Buf *out, Err *err);

/* The next line of a text from *at on, without its end; *at stands behind it. False at the end; no line follows a last \n. */
bool textfile_line(const char *text, size_t n, size_t *at, const char **line, size_t *length);

#endif
