// SPDX-License-Identifier: MIT
/* A growable run of bytes. The caller owns the Buf and ends it with buf_fini. A failed growth is remembered (`failed`),
 * and later writes are ignored, so that a long chain of writes needs one test at its end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct Buf {
    char *data; /* owned; after buf_text always ended by a zero byte */
    size_t size, room;
    bool failed;
} Buf;

#define BUF_INIT { 0 }

void buf_fini(Buf *buf);
void buf_reset(Buf *buf); /* size 0, memory kept */
void buf_write(Buf *buf, const void *bytes, size_t n);
void buf_put(Buf *buf, char byte);
void buf_put_little(Buf *buf, uint64_t value, int n_bytes); /* the lowest byte first */
void buf_puts(Buf *buf, const char *text);
void buf_printf(Buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Room for n more bytes, returned uninitialised and counted as written; NULL when memory runs out. */
void *buf_extend(Buf *buf, size_t n);

/* The content as a text, borrowed until the next write; "" when nothing was written or memory ran out. */
const char *buf_text(Buf *buf);

/* Give up the content: a text that the caller frees with mem_free; NULL when memory ran out. */
char *buf_take(Buf *buf);

/* False (ERR_MEM) when any write failed. */
MUST_USE bool buf_ok(const Buf *buf, Err *err);

#endif
