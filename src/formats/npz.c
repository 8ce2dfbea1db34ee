// SPDX-License-Identifier: MIT
#include "formats/npz.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "formats/element.h"
#include "formats/npy.h"
#include "formats/packed.h"
#include "formats/zip.h"

#define PIECE (1 << 14) /* elements converted at a time */

static bool add_member(const Zip *zip, const ZipMember *member, Buf *scratch, NamedList *out, uint64_t *total, Err *err)
{
    char text[NAMED_TEXT];
    const char *name = named_text(member->name, member->name_size, text);
    if (member->name_size < 5 || memcmp(member->name + member->name_size - 4, ".npy", 4) != 0)
        return err_set(err, ERR_DATA, "%s: member \"%s\" is not an array (NAME.npy)", zip->path, name);
    if (memchr(member->name, 0, member->name_size))
        return err_set(err, ERR_DATA, "%s: the name \"%s\" holds a zero byte", zip->path, name);
    *total += member->size;
    if (*total > packed_most())
        return err_set(err, ERR_DATA, "%s: unpacks to more than the limit of %zu bytes", zip->path, packed_most());
    const void *content;
    Tensor tensor;
    if (!zip_content(zip, member, scratch, &content, err))
        return false;
    if (!npy_parse(content, member->size, name, &tensor, err))
        return err_wrap(err, "%s", zip->path);
    return named_add(out, member->name, member->name_size - 4, &tensor, err);
}

bool npz_parse(const void *bytes, size_t n, const char *name, NamedList *out, Err *err)
{
    Zip zip;
    if (!zip_open(&zip, bytes, n, name, err))
        return false;
    Buf scratch = BUF_INIT;
    bool ok = true;
    uint64_t total = 0;
    while (ok) {
        ZipMember member;
        bool more;
        ok = zip_next(&zip, &member, &more, err);
        if (!ok || !more)
            break;
        ok = add_member(&zip, &member, &scratch, out, &total, err);
    }
    buf_fini(&scratch);
    return ok && named_check_unique(out->items, out->n, name, err);
}

bool npz_load(const char *path, NamedList *out, Err *err)
{
    Buf bytes = BUF_INIT;
    bool ok = file_read(path, &bytes, packed_most(), err) && npz_parse(bytes.data, bytes.size, path, out, err);
    buf_fini(&bytes);
    return ok;
}

/* The tensor's bytes in pieces: into the CRC, or (file given) into the file. */
static bool pass(const Tensor *tensor, char *piece, unsigned long *crc, FileOut *file, Err *err)
{
    size_t size = element_size(element_of(tensor->dtype));
    int64_t count = tensor_count(tensor);
    for (int64_t at = 0; at < count; at += PIECE) {
        int64_t n = count - at < PIECE ? count - at : PIECE;
        element_write(piece, tensor, at, n);
        if (!file)
            *crc = packed_crc(*crc, piece, (size_t)n * size);
        else if (!file_out_write(file, piece, (size_t)n * size, err))
            return false;
    }
    return true;
}

/* The CRC stands in front of the data, so they are walked over twice. */
static bool write_member(ZipOut *zip, const NamedTensor *item, char *piece, Err *err)
{
    char header[NPY_HEADER_MOST];
    const Tensor *tensor = &item->tensor;
    size_t start = npy_header(header, tensor);
    unsigned long crc = packed_crc(0, header, start);
    uint64_t size = start + (uint64_t)tensor_count(tensor) * element_size(element_of(tensor->dtype));
    Buf name = BUF_INIT;
    buf_printf(&name, "%s.npy", item->name);
    bool ok = buf_ok(&name, err) && pass(tensor, piece, &crc, NULL, err) &&
        zip_begin(zip, buf_text(&name), size, (uint32_t)crc, err) && file_out_write(zip->file, header, start, err) &&
        pass(tensor, piece, &crc, zip->file, err);
    buf_fini(&name);
    return ok;
}

bool npz_save(const char *path, const NamedTensor *items, int n, Err *err)
{
    if (!named_check_unique(items, n, path, err))
        return false;
    char *piece = mem_alloc(PIECE, 4, err);
    ZipOut zip = { .file = piece ? file_out_new(path, 0666, err) : NULL };
    bool ok = zip.file != NULL;
    for (int i = 0; ok && i < n; i++)
        ok = write_member(&zip, &items[i], piece, err);
    ok = ok && zip_finish(&zip, err) && file_out_commit(zip.file, err);
    zip_out_fini(&zip);
    file_out_free(zip.file);
    mem_free(piece);
    return ok;
}
