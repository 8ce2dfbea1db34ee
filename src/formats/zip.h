// SPDX-License-Identifier: MIT
/* ZIP archives in memory, read from the central directory; members stored or deflated, ZIP64 sizes too. Written: stored.
 * The reader believes nothing: every range lies inside the archive, a member's two headers must agree, members may not
 * share bytes (their sizes together stay within the file), CRC-32 and both sizes are checked, bombs are stopped (see packed.h).
 * A Zip borrows the bytes. One thread at a time. */
#ifndef FORMATS_ZIP_H
#define FORMATS_ZIP_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

typedef struct Zip {
    const char *path;     /* for messages, borrowed */
    const uint8_t *bytes; /* borrowed */
    size_t n;
    uint64_t at, end;    /* what is left of the central directory */
    uint64_t left;       /* members to come */
    uint64_t start;      /* where the central directory begins */
    uint64_t stored_sum; /* bytes of the members so far */
} Zip;

typedef struct ZipMember {
    const char *name; /* borrowed from the archive, not ended by a zero byte */
    size_t name_size;
    const uint8_t *data; /* as stored */
    size_t stored, size; /* bytes, packed and unpacked */
    uint32_t crc;
    int method; /* 0 stored, 8 deflated */
} ZipMember;

/* Find the central directory. Fails: ERR_DATA. */
MUST_USE bool zip_open(Zip *zip, const void *bytes, size_t n, const char *path, Err *err);

/* The next member; *more is false behind the last. Fails: ERR_DATA. */
MUST_USE bool zip_next(Zip *zip, ZipMember *member, bool *more, Err *err);

/* The member's content: borrowed from the archive when stored, else unpacked into scratch (emptied first).
 * Fails: ERR_DATA when size or CRC-32 do not fit, ERR_MEM. */
MUST_USE bool zip_content(const Zip *zip, const ZipMember *member, Buf *scratch, const void **out, Err *err);

/* ---- writing: members one after the other, then the directory ---- */

typedef struct ZipOut {
    FileOut *file; /* borrowed */
    Buf directory; /* owned */
    uint64_t at;   /* bytes written */
    int members;
} ZipOut;

/* Begin a member of `size` bytes with this CRC-32; exactly so many bytes go to the file after it.
 * Fails: ERR_IO, ERR_ARG beyond 4 GiB or 65,534 members. */
MUST_USE bool zip_begin(ZipOut *zip, const char *name, uint64_t size, uint32_t crc, Err *err);
MUST_USE bool zip_finish(ZipOut *zip, Err *err);
void zip_out_fini(ZipOut *zip);

#endif
