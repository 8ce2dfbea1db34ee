// SPDX-License-Identifier: MIT
/* Source: PKWARE APPNOTE 6.3.9, sections 4.3 (layout) and 4.5.3 (ZIP64 extra field). All numbers little-endian. */
#include "formats/zip.h"

#include <string.h>

#include "formats/named.h"
#include "formats/packed.h"

#define LOCAL 0x04034B50u
#define CENTRAL 0x02014B50u
#define END 0x06054B50u
#define END64 0x06064B50u
#define LOCATOR64 0x07064B50u
enum { LOCAL_SIZE = 30, CENTRAL_SIZE = 46, END_SIZE = 22, END64_SIZE = 56, LOCATOR64_SIZE = 20 };

#define FLAG_ENCRYPTED 0x0001
#define FLAG_UTF8 0x0800

static uint32_t get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool refuse(const Zip *zip, uint64_t at, const char *what, Err *err)
{
    return err_set(err, ERR_DATA, "%s: byte %llu: %s", zip->path, (unsigned long long)at, what);
}

/* A stretch of the archive. */
static bool inside(uint64_t at, uint64_t size, uint64_t n)
{
    return at <= n && size <= n - at;
}

/* The end record stands last, followed only by a comment whose length it states. */
static bool find_end(const Zip *zip, size_t *out, Err *err)
{
    size_t least = zip->n > END_SIZE + 65535 ? zip->n - END_SIZE - 65535 : 0;
    for (size_t at = zip->n < END_SIZE ? 0 : zip->n - END_SIZE + 1; at-- > least;) {
        const uint8_t *p = zip->bytes + at;
        if (get32(p) == END && get16(p + 20) == zip->n - at - END_SIZE) {
            *out = at;
            return true;
        }
    }
    return err_set(err, ERR_DATA, "%s: not a ZIP archive, or its end is missing (the file may be cut off)", zip->path);
}

static bool read_end64(Zip *zip, size_t end, Err *err)
{
    if (end < LOCATOR64_SIZE || get32(zip->bytes + end - LOCATOR64_SIZE) != LOCATOR64)
        return true; /* an ordinary archive whose numbers happen to be all ones is caught by the range checks */
    uint64_t at = get64(zip->bytes + end - LOCATOR64_SIZE + 8);
    if (!inside(at, END64_SIZE, end - LOCATOR64_SIZE) || get32(zip->bytes + at) != END64)
        return refuse(zip, end - LOCATOR64_SIZE, "the ZIP64 directory end is not where it should be", err);
    const uint8_t *p = zip->bytes + at;
    if (get32(p + 16) != 0 || get32(p + 20) != 0 || get64(p + 24) != get64(p + 32))
        return refuse(zip, at, "archives in several parts are not read", err);
    zip->left = get64(p + 32);
    zip->end = get64(p + 40);
    zip->start = get64(p + 48);
    return true;
}

bool zip_open(Zip *zip, const void *bytes, size_t n, const char *path, Err *err)
{
    *zip = (Zip){ .path = path, .bytes = bytes, .n = n };
    size_t end = 0;
    if (!find_end(zip, &end, err))
        return false;
    const uint8_t *p = zip->bytes + end;
    if (get16(p + 4) != 0 || get16(p + 6) != 0 || get16(p + 8) != get16(p + 10))
        return refuse(zip, end, "archives in several parts are not read", err);
    zip->left = get16(p + 10);
    zip->end = get32(p + 12); /* its size, until it is checked */
    zip->start = get32(p + 16);
    if (!read_end64(zip, end, err))
        return false;
    if (!inside(zip->start, zip->end, end) || zip->left > zip->end / CENTRAL_SIZE)
        return refuse(zip, end, "the directory does not lie inside the file", err);
    zip->at = zip->start;
    zip->end += zip->start;
    return true;
}

/* Sizes and offset that do not fit into 32 bits stand in extra field 1, in this order, only those that are all ones. */
static bool read_extra64(const Zip *zip, const uint8_t *extra, size_t n, uint64_t *size, uint64_t *stored, uint64_t *offset, Err *err)
{
    uint64_t *wanted[] = { size, stored, offset };
    for (size_t at = 0; n - at >= 4;) {
        size_t length = get16(extra + at + 2);
        if (length > n - at - 4)
            return refuse(zip, zip->at, "an extra field is longer than its room", err);
        const uint8_t *p = extra + at + 4;
        if (get16(extra + at) == 1)
            for (int i = 0; i < 3; i++)
                if (*wanted[i] == UINT32_MAX && length >= 8) {
                    *wanted[i] = get64(p);
                    p += 8;
                    length -= 8;
                }
        at += 4 + get16(extra + at + 2);
    }
    return true;
}

/* The member's own header must name the same member; its sizes may be absent there and are not used. */
static bool read_local(const Zip *zip, ZipMember *member, uint64_t offset, Err *err)
{
    if (!inside(offset, LOCAL_SIZE, zip->start) || get32(zip->bytes + offset) != LOCAL)
        return refuse(zip, zip->at, "the directory leads to no member", err);
    const uint8_t *p = zip->bytes + offset;
    uint64_t data = offset + LOCAL_SIZE + get16(p + 26) + get16(p + 28);
    if (get16(p + 26) != member->name_size || !inside(offset + LOCAL_SIZE, member->name_size, zip->start) ||
        memcmp(p + LOCAL_SIZE, member->name, member->name_size) != 0 || (int)get16(p + 8) != member->method)
        return refuse(zip, offset, "the member's header and the directory disagree", err);
    if (!inside(data, member->stored, zip->start))
        return refuse(zip, offset, "the member is longer than the archive", err);
    member->data = zip->bytes + data;
    return true;
}

bool zip_next(Zip *zip, ZipMember *member, bool *more, Err *err)
{
    *more = zip->left > 0;
    if (!*more)
        return zip->at == zip->end || refuse(zip, zip->at, "the directory holds more than it counts", err);
    if (!inside(zip->at, CENTRAL_SIZE, zip->end) || get32(zip->bytes + zip->at) != CENTRAL)
        return refuse(zip, zip->at, "the directory is damaged", err);
    const uint8_t *p = zip->bytes + zip->at;
    size_t name_size = get16(p + 28), extra = get16(p + 30), comment = get16(p + 32);
    if (!inside(zip->at + CENTRAL_SIZE, name_size + extra + comment, zip->end))
        return refuse(zip, zip->at, "the directory is damaged", err);
    uint64_t stored = get32(p + 20), size = get32(p + 24), offset = get32(p + 42);
    if (!read_extra64(zip, p + CENTRAL_SIZE + name_size, extra, &size, &stored, &offset, err))
        return false;
    *member = (ZipMember){ .name = (const char *)p + CENTRAL_SIZE, .name_size = name_size, .stored = (size_t)stored,
                           .size = (size_t)size, .crc = get32(p + 16), .method = (int)get16(p + 10) };
    if (get16(p + 8) & FLAG_ENCRYPTED)
        return refuse(zip, zip->at, "the member is encrypted", err);
    if (member->method != 0 && member->method != 8)
        return refuse(zip, zip->at, "the member is packed in a way that is not read here (stored and deflated are)", err);
    if (stored > zip->n || size > packed_most() || (member->method == 0 && stored != size))
        return refuse(zip, zip->at, "the member's sizes cannot be true, or are over the limit", err);
    zip->stored_sum += stored;
    if (zip->stored_sum > zip->n)
        return refuse(zip, zip->at, "members share the same bytes", err);
    if (!read_local(zip, member, offset, err))
        return false;
    zip->at += CENTRAL_SIZE + name_size + extra + comment;
    zip->left--;
    return true;
}

bool zip_content(const Zip *zip, const ZipMember *member, Buf *scratch, const void **out, Err *err)
{
    char text[NAMED_TEXT];
    const char *name = named_text(member->name, member->name_size, text);
    *out = member->data;
    if (member->method == 8) {
        buf_reset(scratch);
        /* buf_extend keeps what it gets: a lie about the size is stopped by the ratio before memory is asked for. */
        if (member->size > member->stored && member->size - member->stored > member->stored * (size_t)1032 + (1u << 20))
            return err_set(err, ERR_DATA, "%s: member \"%s\" says that %zu bytes unpack to %zu, which DEFLATE cannot do", zip->path, name,
                           member->stored, member->size);
        void *to = buf_extend(scratch, member->size);
        if (!to)
            return buf_ok(scratch, err);
        if (!packed_inflate(member->data, member->stored, to, member->size, name, err))
            return err_wrap(err, "%s", zip->path);
        *out = to;
    }
    if (packed_crc(0, *out, member->size) != member->crc)
        return err_set(err, ERR_DATA, "%s: member \"%s\" is damaged (its CRC-32 does not fit)", zip->path, name);
    return true;
}

/* ---- writing ---- */

/* What the local header and the directory share: version, flags, method 0, 1980-01-01, CRC, both sizes, name's length. */
static void put_common(Buf *out, const char *name, uint64_t size, uint32_t crc)
{
    bool ascii = true;
    for (const char *p = name; *p; p++)
        ascii = ascii && (unsigned char)*p < 128;
    buf_put_little(out, 20, 2);
    buf_put_little(out, ascii ? 0 : FLAG_UTF8, 2);
    buf_put_little(out, 0, 2);
    buf_put_little(out, 0, 2);
    buf_put_little(out, 1 << 5 | 1, 2);
    buf_put_little(out, crc, 4);
    buf_put_little(out, size, 4);
    buf_put_little(out, size, 4);
    buf_put_little(out, strlen(name), 2);
    buf_put_little(out, 0, 2);
}

bool zip_begin(ZipOut *zip, const char *name, uint64_t size, uint32_t crc, Err *err)
{
    uint64_t after = zip->at + LOCAL_SIZE + strlen(name) + size;
    if (after >= UINT32_MAX || zip->members >= 65534 || strlen(name) > 60000)
        return err_set(err, ERR_ARG, "\"%.60s\": too large for an archive of 4 GiB; save as .safetensors", name);
    Buf local = BUF_INIT;
    buf_put_little(&local, LOCAL, 4);
    put_common(&local, name, size, crc);
    buf_puts(&local, name);
    buf_put_little(&zip->directory, CENTRAL, 4);
    buf_put_little(&zip->directory, 3 << 8 | 20, 2); /* made by: Unix */
    put_common(&zip->directory, name, size, crc);
    buf_put_little(&zip->directory, 0, 2 + 2 + 2);
    buf_put_little(&zip->directory, 0100600u << 16, 4);
    buf_put_little(&zip->directory, zip->at, 4);
    buf_puts(&zip->directory, name);
    bool ok = buf_ok(&local, err) && buf_ok(&zip->directory, err) && file_out_write(zip->file, local.data, local.size, err);
    buf_fini(&local);
    zip->at = after;
    zip->members++;
    return ok;
}

bool zip_finish(ZipOut *zip, Err *err)
{
    size_t size = zip->directory.size;
    if (zip->at + size >= UINT32_MAX)
        return err_set(err, ERR_ARG, "too large for an archive of 4 GiB; save as .safetensors");
    buf_put_little(&zip->directory, END, 4);
    buf_put_little(&zip->directory, 0, 4);
    buf_put_little(&zip->directory, (uint64_t)zip->members, 2);
    buf_put_little(&zip->directory, (uint64_t)zip->members, 2);
    buf_put_little(&zip->directory, size, 4);
    buf_put_little(&zip->directory, zip->at, 4);
    buf_put_little(&zip->directory, 0, 2);
    return buf_ok(&zip->directory, err) && file_out_write(zip->file, zip->directory.data, zip->directory.size, err);
}

void zip_out_fini(ZipOut *zip)
{
    buf_fini(&zip->directory);
}
