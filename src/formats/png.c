// SPDX-License-Identifier: MIT
#include "formats/png.h"

#include <string.h>
#include <zlib.h>

static void put_big(unsigned char out[4], uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void put_chunk(Buf *out, const char *type, const void *bytes, size_t n)
{
    unsigned char word[4];
    put_big(word, (uint32_t)n);
    buf_write(out, word, 4);
    buf_write(out, type, 4);
    buf_write(out, bytes, n);
    uLong crc = crc32(crc32(0, NULL, 0), (const Bytef *)type, 4);
    put_big(word, (uint32_t)(n ? crc32(crc, bytes, (uInt)n) : crc));
    buf_write(out, word, 4);
}

/* Each row begins with the number of its filter: 0, none. */
static void put_pixels(Buf *out, const uint8_t *pixels, int height, int width)
{
    Buf rows = BUF_INIT, packed = BUF_INIT;
    for (int y = 0; y < height; y++) {
        buf_put(&rows, 0);
        buf_write(&rows, pixels + (size_t)y * (size_t)width, (size_t)width);
    }
    uLongf size = compressBound((uLong)rows.size);
    void *room = rows.failed ? NULL : buf_extend(&packed, size);
    if (room && compress2(room, &size, (const Bytef *)rows.data, (uLong)rows.size, 6) == Z_OK)
        put_chunk(out, "IDAT", packed.data, size);
    else
        out->failed = true;
    buf_fini(&rows);
    buf_fini(&packed);
}

void png_grey(Buf *out, const uint8_t *pixels, int height, int width)
{
    unsigned char head[13] = { [8] = 8 }; /* 8 bits a pixel, grey, one pass */
    put_big(head, (uint32_t)width);
    put_big(head + 4, (uint32_t)height);
    buf_write(out, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(out, "IHDR", head, sizeof head);
    put_pixels(out, pixels, height, width);
    put_chunk(out, "IEND", NULL, 0);
}
