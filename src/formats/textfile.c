// SPDX-License-Identifier: MIT
#include "formats/textfile.h"

#include <string.h>

#include "base/utf8.h"
#include "formats/packed.h"

/* Which line holds byte `at`, counted from 1. */
static long long line_of(const char *text, size_t at)
{
    long long line = 1;
    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return line;
}

static bool check_encoding(const char *path, const char *text, size_t n, Err *err)
{
    size_t bad;
    if (n >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
        return err_set(err, ERR_DATA, "%s is UTF-16; texts are read as UTF-8: iconv -f UTF-16 -t UTF-8 converts it", path);
    if (utf8_check(text, n, &bad))
        return true;
    return err_set(err, ERR_DATA, "%s, line %lld: byte %zu of the file (%02X) is not UTF-8; iconv -f LATIN1 -t UTF-8 converts an old text", path,
                   line_of(text, bad), bad + 1, (unsigned)(unsigned char)text[bad]);
}

bool textfile_read(const char *path, Buf *out, Err *err)
{
    if (!packed_read(path, out, err))
        return false;
    size_t from = out->size >= 3 && !memcmp(out->data, "\xef\xbb\xbf", 3) ? 3 : 0, to = 0;
    if (!check_encoding(path, out->data, out->size, err))
        return false;
    for (size_t i = from; i < out->size; i++) {
        bool bare = out->data[i] == '\r';
        if (bare && i + 1 < out->size && out->data[i + 1] == '\n')
            continue;
        out->data[to++] = bare ? '\n' : out->data[i];
    }
    out->size = to;
    return true;
}

bool textfile_line(const char *text, size_t n, size_t *at, const char **line, size_t *length)
{
    if (*at >= n)
        return false;
    const char *end = memchr(text + *at, '\n', n - *at);
    *line = text + *at;
    *length = end ? (size_t)(end - *line) : n - *at;
    *at += *length + (end != NULL);
    return true;
}
