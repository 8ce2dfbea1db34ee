// SPDX-License-Identifier: MIT
/* A whole file in memory, unpacked when it is gzip or xz. What it is, is told by its first bytes, not by its name.
 * Bombs are stopped while unpacking: the result may hold at most packed_most() bytes, and at most 1032 times the packed
 * size (no DEFLATE stream can hold more) and one MiB. Nothing in a header is believed. Any thread. */
#ifndef FORMATS_PACKED_H
#define FORMATS_PACKED_H

#include "base/buf.h"
#include "base/err.h"

/* The most bytes a file may hold once unpacked: 4 GiB until the user sets another limit (0: back to that). */
size_t packed_most(void);
void packed_set_most(size_t bytes);

/* The file's content into out, which must be empty. Fails: ERR_IO; ERR_DATA with the byte offset when the file is damaged,
 * cut off, too large or packed in a way that is not read (bzip2, zstd); ERR_MEM. */
MUST_USE bool packed_read(const char *path, Buf *out, Err *err);

/* The same for bytes in memory; name is for messages. Bytes that are not packed are copied. */
MUST_USE bool packed_unpack(const void *bytes, size_t n, const char *name, Buf *out, Err *err);

/* One member of an archive: n bytes of raw DEFLATE that must give exactly `size` bytes. Fails: ERR_DATA. */
MUST_USE bool packed_inflate(const void *bytes, size_t n, void *out, size_t size, const char *name, Err *err);

/* CRC-32 as gzip and zip have it ("123456789" -> 0xCBF43926), continued from crc; start with 0. */
unsigned long packed_crc(unsigned long crc, const void *bytes, size_t n);

#endif
