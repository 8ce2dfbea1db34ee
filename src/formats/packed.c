// SPDX-License-Identifier: MIT
#include "formats/packed.h"

#define ZLIB_CONST
#include <lzma.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "base/file.h"
#include "base/mem.h"

#define RATIO_MOST 1032
#define GRACE ((size_t)1 << 20)
#define PIECE_LEAST ((size_t)1 << 16)
#define PIECE_MOST ((size_t)1 << 26)
#define XZ_MEMORY ((uint64_t)256 << 20) /* bytes; the strongest preset (-9) needs 65 MiB */

static _Atomic size_t most_set;

size_t packed_most(void)
{
    size_t most = atomic_load(&most_set);
    return most ? most : (size_t)((uint64_t)SIZE_MAX / 4 < (uint64_t)4 << 30 ? SIZE_MAX / 4 : (uint64_t)4 << 30);
}

void packed_set_most(size_t bytes)
{
    atomic_store(&most_set, bytes > SIZE_MAX / 4 ? SIZE_MAX / 4 : bytes);
}

unsigned long packed_crc(unsigned long crc, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    while (n > 0) {
        uInt piece = n > 1u << 30 ? 1u << 30 : (uInt)n;
        crc = crc32(crc, p, piece);
        p += piece;
        n -= piece;
    }
    return crc;
}

/* ---- room for the output, with its limits ---- */

typedef struct Sink {
    Buf *out;
    const char *name;
    size_t most; /* bytes that may come out */
    bool by_ratio; /* which limit that is, for the message */
} Sink;

static Sink sink_of(Buf *out, const char *name, size_t packed_size)
{
    size_t by_user = packed_most();
    size_t by_ratio = packed_size < SIZE_MAX / (4 * RATIO_MOST) ? packed_size * RATIO_MOST + GRACE : SIZE_MAX;
    bool ratio = by_ratio < by_user;
    return (Sink){ .out = out, .name = name, .most = ratio ? by_ratio : by_user, .by_ratio = ratio };
}

/* The next stretch to write to; its size is at least one byte. sink_close gives back what was not used. */
static void *sink_open(Sink *sink, size_t *size, Err *err)
{
    size_t have = sink->out->size;
    if (have >= sink->most) {
        if (sink->by_ratio)
            err_set(err, ERR_DATA, "%s: unpacks to more than %d times its size (stopped at %zu bytes): not a sane file", sink->name,
                    RATIO_MOST, have);
        else
            err_set(err, ERR_DATA, "%s: unpacks to more than the limit of %zu bytes", sink->name, sink->most);
        return NULL;
    }
    *size = have < PIECE_LEAST ? PIECE_LEAST : have > PIECE_MOST ? PIECE_MOST : have;
    if (*size > sink->most - have)
        *size = sink->most - have;
    void *to = buf_extend(sink->out, *size);
    if (!to)
        err_set(err, ERR_MEM, "%s: out of memory while unpacking (%zu bytes so far)", sink->name, have);
    return to;
}

static void sink_close(Sink *sink, size_t unused)
{
    sink->out->size -= unused;
}

/* ---- gzip ---- */

static voidpf zlib_alloc(voidpf opaque, uInt n, uInt size)
{
    (void)opaque;
    return mem_alloc(n, size, NULL);
}

static void zlib_free(voidpf opaque, voidpf block)
{
    (void)opaque;
    mem_free(block);
}

static bool only_zeros(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

/* One round of inflate. *ended: a member is complete. */
static bool gzip_round(z_stream *z, Sink *sink, const unsigned char *bytes, size_t n, bool *ended, Err *err)
{
    size_t at = (size_t)(z->next_in - bytes), room;
    z->avail_in = n - at > 1u << 30 ? 1u << 30 : (uInt)(n - at);
    void *to = sink_open(sink, &room, err);
    if (!to)
        return false;
    z->next_out = to;
    z->avail_out = (uInt)room;
    int status = inflate(z, Z_NO_FLUSH);
    sink_close(sink, z->avail_out);
    at = (size_t)(z->next_in - bytes);
    *ended = status == Z_STREAM_END;
    if (*ended || (status == Z_OK && (z->avail_out == 0 || at < n)))
        return true;
    if (status == Z_OK || (status == Z_BUF_ERROR && at == n))
        return err_set(err, ERR_DATA, "%s: the gzip data end in the middle (after %zu bytes); the file is cut off", sink->name, n);
    if (status == Z_MEM_ERROR)
        return err_set(err, ERR_MEM, "%s: out of memory while unpacking", sink->name);
    return err_set(err, ERR_DATA, "%s: damaged gzip data near byte %zu (%s)", sink->name, at, z->msg ? z->msg : "inflate failed");
}

/* Members may follow one another, and zeros may follow the last (tapes, some downloads). */
static bool unpack_gzip(const unsigned char *bytes, size_t n, const char *name, Buf *out, Err *err)
{
    z_stream z = { .zalloc = zlib_alloc, .zfree = zlib_free };
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return err_set(err, ERR_MEM, "%s: out of memory while unpacking", name);
    Sink sink = sink_of(out, name, n);
    z.next_in = bytes;
    bool ok = true, ended = false;
    while (ok && !(ended && only_zeros(z.next_in, n - (size_t)(z.next_in - bytes)))) {
        if (ended)
            (void)inflateReset(&z);
        ok = gzip_round(&z, &sink, bytes, n, &ended, err);
    }
    (void)inflateEnd(&z);
    return ok;
}

/* ---- xz ---- */

static void *xz_alloc(void *opaque, size_t n, size_t size)
{
    (void)opaque;
    return mem_alloc(n, size, NULL);
}

static void xz_free(void *opaque, void *block)
{
    (void)opaque;
    mem_free(block);
}

static bool xz_refuse(lzma_ret status, const char *name, uint64_t at, size_t n, Err *err)
{
    switch (status) {
    case LZMA_MEM_ERROR:
        return err_set(err, ERR_MEM, "%s: out of memory while unpacking", name);
    case LZMA_MEMLIMIT_ERROR:
        return err_set(err, ERR_DATA, "%s: wants more than %d MiB to unpack; pack it with a smaller dictionary (xz -9 or less)", name,
                       (int)(XZ_MEMORY >> 20));
    case LZMA_BUF_ERROR:
        return err_set(err, ERR_DATA, "%s: the xz data end in the middle (after %zu bytes); the file is cut off", name, n);
    case LZMA_OPTIONS_ERROR:
        return err_set(err, ERR_DATA, "%s: uses xz options that the installed liblzma does not know", name);
    default:
        return err_set(err, ERR_DATA, "%s: damaged xz data near byte %llu", name, (unsigned long long)at);
    }
}

static bool unpack_xz(const unsigned char *bytes, size_t n, const char *name, Buf *out, Err *err)
{
    lzma_allocator allocator = { .alloc = xz_alloc, .free = xz_free };
    lzma_stream x = LZMA_STREAM_INIT;
    x.allocator = &allocator;
    lzma_ret status = lzma_stream_decoder(&x, XZ_MEMORY, LZMA_CONCATENATED);
    Sink sink = sink_of(out, name, n);
    x.next_in = bytes;
    x.avail_in = n;
    bool ok = true;
    while (ok && status == LZMA_OK) {
        size_t room;
        x.next_out = sink_open(&sink, &room, err);
        if (!x.next_out) {
            ok = false;
            break;
        }
        x.avail_out = room;
        status = lzma_code(&x, LZMA_FINISH);
        sink_close(&sink, x.avail_out);
    }
    if (ok && status != LZMA_STREAM_END)
        ok = xz_refuse(status, name, x.total_in, n, err);
    lzma_end(&x);
    return ok;
}

/* ---- which ---- */

typedef enum { PLAIN, GZIP, XZ, OTHER } Kind;

static Kind kind_of(const unsigned char *p, size_t n, const char **other)
{
    static const struct {
        const char *magic;
        size_t n;
        Kind kind;
        const char *program;
    } rows[] = {
        { "\x1F\x8B\x08", 3, GZIP, NULL },
        { "\xFD" "7zXZ\0", 6, XZ, NULL },
        { "BZh91AY&SY", 10, OTHER, "bunzip2" },
        { "\x28\xB5\x2F\xFD", 4, OTHER, "unzstd" },
        { "7z\xBC\xAF\x27\x1C", 6, OTHER, "7z" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (n >= rows[i].n && memcmp(p, rows[i].magic, rows[i].n) == 0) {
            *other = rows[i].program;
            return rows[i].kind;
        }
    return PLAIN;
}

bool packed_unpack(const void *bytes, size_t n, const char *name, Buf *out, Err *err)
{
    const char *other = NULL;
    switch (kind_of(bytes, n, &other)) {
    case GZIP:
        return unpack_gzip(bytes, n, name, out, err);
    case XZ:
        return unpack_xz(bytes, n, name, out, err);
    case OTHER:
        return err_set(err, ERR_DATA, "%s: is packed in a way that is not read here (gzip and xz are); unpack it with %s first", name, other);
    case PLAIN:
        break;
    }
    buf_write(out, bytes, n);
    return buf_ok(out, err);
}

bool packed_read(const char *path, Buf *out, Err *err)
{
    Buf raw = BUF_INIT;
    const char *other;
    bool ok = file_read(path, &raw, packed_most(), err);
    if (ok && kind_of((unsigned char *)raw.data, raw.size, &other) == PLAIN) {
        buf_fini(out);
        *out = raw;
        return true;
    }
    ok = ok && packed_unpack(raw.data, raw.size, path, out, err);
    buf_fini(&raw);
    return ok;
}

bool packed_inflate(const void *bytes, size_t n, void *out, size_t size, const char *name, Err *err)
{
    if (size > n && size - n > n * (size_t)RATIO_MOST + GRACE)
        return err_set(err, ERR_DATA, "%s: says that %zu bytes unpack to %zu, which DEFLATE cannot do", name, n, size);
    z_stream z = { .zalloc = zlib_alloc, .zfree = zlib_free };
    if (inflateInit2(&z, -15) != Z_OK)
        return err_set(err, ERR_MEM, "%s: out of memory while unpacking", name);
    const unsigned char *end = (const unsigned char *)bytes + n;
    unsigned char spare, *to = out, *to_end = to + size;
    int status = Z_OK;
    z.next_in = bytes;
    z.next_out = to;
    while (status == Z_OK) {
        size_t left = (size_t)(end - z.next_in), room = z.next_out == &spare ? 0 : (size_t)(to_end - z.next_out);
        z.avail_in = left > 1u << 30 ? 1u << 30 : (uInt)left;
        if (room == 0) /* one byte more than promised shows that there is more */
            z.next_out = &spare;
        z.avail_out = room == 0 ? 1 : room > 1u << 30 ? 1u << 30 : (uInt)room;
        status = inflate(&z, Z_NO_FLUSH);
        if (room == 0 && z.avail_out == 0)
            status = Z_DATA_ERROR;
    }
    uint64_t written = z.total_out;
    bool all_read = z.next_in == end;
    (void)inflateEnd(&z);
    if (status == Z_STREAM_END && written == size && all_read)
        return true;
    if (status == Z_MEM_ERROR)
        return err_set(err, ERR_MEM, "%s: out of memory while unpacking", name);
    return err_set(err, ERR_DATA, "%s: damaged DEFLATE data (%zu bytes were promised, %llu came)", name, size, (unsigned long long)written);
}
