// SPDX-License-Identifier: MIT
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* What a user or a file gave may stand in a message, cut anywhere: bytes that would steer a terminal, or are no UTF-8, become '?'. */
static void clean(char *text)
{
    char *to = text;
    for (size_t left = strlen(text); left;) {
        uint32_t code;
        int n = utf8_decode(text, left, &code);
        if (n == 0) /* the end is missing: it was cut off */
            break;
        bool good = n > 0 && (code == '\n' || code == '\t' || !utf8_hostile(code));
        n = n > 0 ? n : 1;
        if (good)
            memmove(to, text, (size_t)n);
        else
            *to = '?';
        to += good ? n : 1;
        text += n;
        left -= (size_t)n;
    }
    *to = '\0';
}

bool err_setv(Err *err, ErrCode code, const char *format, va_list args)
{
    if (!err)
        return false;
    err->code = code;
    vsnprintf(err->text, sizeof err->text, format, args);
    clean(err->text);
    return false;
}

bool err_set(Err *err, ErrCode code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_setv(err, code, format, args);
    va_end(args);
    return false;
}

bool err_wrap(Err *err, const char *format, ...)
{
    if (!err)
        return false;
    char inner[sizeof err->text];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < sizeof err->text ? (size_t)n : sizeof err->text - 1;
    size_t room = sizeof err->text - 1 - used, length = strlen(inner) + 2;
    const char *join = ": ";
    for (size_t i = 0; i < length && i < room; i++)
        err->text[used + i] = i < 2 ? join[i] : inner[i - 2];
    err->text[used + (length < room ? length : room)] = '\0';
    clean(err->text);
    return false;
}

bool err_name(Err *err, const char *name)
{
    size_t n = strlen(name);
    if (!err || (!strncmp(err->text, name, n) && strchr(": ", err->text[n])))
        return false;
    return err_wrap(err, "%s", name);
}

void err_clear(Err *err)
{
    if (!err)
        return;
    err->code = ERR_OK;
    err->text[0] = '\0';
}

const char *err_tag(ErrCode code)
{
    static const char *const tags[] = {
#define X(code, tag, help) tag,
        ERR_CODES(X)
#undef X
    };
    return (unsigned)code < sizeof tags / sizeof *tags ? tags[code] : "unknown";
}
