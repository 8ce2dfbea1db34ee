// SPDX-License-Identifier: MIT
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void buf_fini(Buf *buf)
{
    mem_free(buf->data);
    *buf = (Buf)BUF_INIT;
}

void buf_reset(Buf *buf)
{
    buf->size = 0;
    buf->failed = false;
}

void *buf_extend(Buf *buf, size_t n)
{
    if (buf->failed)
        return NULL;
    if (n >= buf->room - buf->size) { /* one byte stays free for the closing zero */
        size_t room = buf->room ? buf->room : 64;
        while (room - buf->size <= n && room <= (size_t)-1 / 4)
            room *= 2;
        char *grown = room - buf->size > n ? mem_grow(buf->data, room, 1, NULL) : NULL;
        if (!grown) {
            buf->failed = true;
            return NULL;
        }
        buf->data = grown;
        buf->room = room;
    }
    void *out = buf->data + buf->size;
    buf->size += n;
    return out;
}

void buf_write(Buf *buf, const void *bytes, size_t n)
{
    void *out = buf_extend(buf, n);
    if (out && n)
        memcpy(out, bytes, n);
}

void buf_put(Buf *buf, char byte)
{
    buf_write(buf, &byte, 1);
}

void buf_put_little(Buf *buf, uint64_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++)
        buf_put(buf, (char)(unsigned char)(value >> 8 * i));
}

void buf_puts(Buf *buf, const char *text)
{
    buf_write(buf, text, strlen(text));
}

void buf_printf(Buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *out = n < 0 ? NULL : buf_extend(buf, (size_t)n + 1);
    if (out) {
        vsnprintf(out, (size_t)n + 1, format, again);
        buf->size--;
    }
    va_end(again);
}

const char *buf_text(Buf *buf)
{
    if (!buf->data)
        return "";
    buf->data[buf->size] = '\0';
    return buf->data;
}

char *buf_take(Buf *buf)
{
    if (!buf->data && !buf_extend(buf, 0))
        return NULL;
    char *out = buf->failed ? NULL : buf->data;
    if (out)
        out[buf->size] = '\0';
    else
        mem_free(buf->data);
    *buf = (Buf)BUF_INIT;
    return out;
}

bool buf_ok(const Buf *buf, Err *err)
{
    return !buf->failed || err_set(err, ERR_MEM, "out of memory (a text of more than %zu bytes)", buf->size);
}
