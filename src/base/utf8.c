// SPDX-License-Identifier: MIT
#include "base/utf8.h"

int utf8_decode(const char *bytes, size_t n, uint32_t *code)
{
    const unsigned char *b = (const unsigned char *)bytes;
    if (!n)
        return 0;
    if (b[0] < 0x80) {
        *code = b[0];
        return 1;
    }
    int size = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
    if (b[0] < 0xc2 || b[0] > 0xf4)
        return -1;
    uint32_t value = b[0] & (0x7fu >> size);
    for (int i = 1; i < size; i++) {
        if ((size_t)i == n)
            return 0;
        if ((b[i] & 0xc0) != 0x80)
            return -1;
        value = value << 6 | (b[i] & 0x3fu);
        /* after the second byte: too small for its length, a surrogate, or beyond the last code point */
        if (i == 1 && ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) || (b[0] == 0xf0 && b[1] < 0x90) ||
                       (b[0] == 0xf4 && b[1] > 0x8f)))
            return -1;
    }
    *code = value;
    return size;
}

int utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    int size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (int i = size - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00u >> size & 0xf0) | code);
    return size;
}

bool utf8_check(const char *bytes, size_t n, size_t *bad)
{
    for (size_t i = 0; i < n;) {
        uint32_t code;
        int size = utf8_decode(bytes + i, n - i, &code);
        if (size < 1) {
            *bad = i;
            return false;
        }
        i += (size_t)size;
    }
    return true;
}

bool utf8_hostile(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff || (code >= 0xe0000 && code <= 0xe007f);
}
