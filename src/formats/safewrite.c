// SPDX-License-Identifier: MIT
/* The writer of safetensors.h. The order of tensors is the reference's: types from wide to narrow (F32, I32, U8 are those
 * we have), then names by their bytes; JSON without blanks, padded by blanks to a multiple of eight. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "formats/safetensors.h"

#define PIECE (1 << 14) /* elements converted at a time */

/* Bytes of the UTF-8 character at p, 0 when it is none (overlong forms, surrogates and values past U+10FFFF are none). */
static int character(const unsigned char *p)
{
    if (p[0] < 0x80)
        return 1;
    int n = p[0] >= 0xC2 && p[0] <= 0xDF ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4 : 0;
    for (int i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) || (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

static bool put_text(Buf *out, const char *text, Err *err)
{
    static const char plain[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    buf_put(out, '"');
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        int n = character(p);
        const char *escaped = strchr(plain, *p);
        char safe[NAMED_TEXT];
        if (n == 0)
            return err_set(err, ERR_ARG, "\"%s\" is not UTF-8 and cannot stand in a safetensors file", named_text(text, strlen(text), safe));
        if (escaped)
            buf_printf(out, "\\%c", letters[escaped - plain]);
        else if (*p < ' ')
            buf_printf(out, "\\u%04x", *p);
        else
            buf_write(out, p, (size_t)n);
        p += n;
    }
    buf_put(out, '"');
    return true;
}

static int type_order(DType dtype)
{
    return dtype == DTYPE_FLOAT32 ? 0 : dtype == DTYPE_INT32 ? 1 : 2;
}

static int by_type_and_name(const void *a, const void *b)
{
    const NamedTensor *x = *(const NamedTensor *const *)a, *y = *(const NamedTensor *const *)b;
    int order = type_order(x->tensor.dtype) - type_order(y->tensor.dtype);
    return order ? order : strcmp(x->name, y->name);
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const SafeMeta *const *)a)->key, (*(const SafeMeta *const *)b)->key);
}

static bool put_meta(Buf *out, const SafeMeta *meta, int n, Err *err)
{
    const SafeMeta **order = mem_alloc((size_t)n, sizeof *order, err);
    if (!order)
        return false;
    for (int i = 0; i < n; i++)
        order[i] = &meta[i];
    qsort(order, (size_t)n, sizeof *order, by_key);
    buf_puts(out, "\"__metadata__\":{");
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        if (i && strcmp(order[i - 1]->key, order[i]->key) == 0)
            ok = err_set(err, ERR_ARG, "the metadata key \"%.60s\" stands there twice", order[i]->key);
        if (i)
            buf_put(out, ',');
        ok = ok && put_text(out, order[i]->key, err);
        buf_put(out, ':');
        ok = ok && put_text(out, order[i]->value, err);
    }
    buf_put(out, '}');
    mem_free(order);
    return ok;
}

static bool put_entry(Buf *out, const NamedTensor *item, uint64_t *at, Err *err)
{
    const Tensor *tensor = &item->tensor;
    Element element = element_of(tensor->dtype);
    if (strcmp(item->name, "__metadata__") == 0)
        return err_set(err, ERR_ARG, "a tensor cannot have the name \"__metadata__\"");
    if (!put_text(out, item->name, err))
        return false;
    buf_printf(out, ":{\"dtype\":\"%s\",\"shape\":[", element_name(element));
    for (int i = 0; i < tensor->shape.rank; i++)
        buf_printf(out, i ? ",%lld" : "%lld", (long long)tensor->shape.d[i]);
    uint64_t end = *at + (uint64_t)tensor_count(tensor) * element_size(element);
    buf_printf(out, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)*at, (unsigned long long)end);
    *at = end;
    return true;
}

/* The eight bytes of the length and the JSON. */
static bool make_header(Buf *out, const NamedTensor *const *order, int n, const SafeMeta *meta, int n_meta, Err *err)
{
    uint64_t at = 0;
    buf_puts(out, "........{");
    bool ok = n_meta == 0 || put_meta(out, meta, n_meta, err);
    for (int i = 0; ok && i < n; i++) {
        if (i || n_meta)
            buf_put(out, ',');
        ok = put_entry(out, order[i], &at, err);
    }
    buf_put(out, '}');
    while (out->size % 8 != 0 && !out->failed)
        buf_put(out, ' ');
    if (!ok || !buf_ok(out, err))
        return false;
    uint64_t size = out->size - 8;
    if (size > SAFETENSORS_HEADER_MOST)
        return err_set(err, ERR_ARG, "names and metadata take %llu bytes; a safetensors file holds at most %d", (unsigned long long)size,
                       SAFETENSORS_HEADER_MOST);
    for (int i = 0; i < 8; i++)
        out->data[i] = (char)(size >> 8 * i & 255);
    return true;
}

static bool write_tensor(FileOut *out, const Tensor *tensor, Buf *piece, Err *err)
{
    size_t size = element_size(element_of(tensor->dtype));
    int64_t count = tensor_count(tensor);
    for (int64_t at = 0; at < count; at += PIECE) {
        int64_t n = count - at < PIECE ? count - at : PIECE;
        element_write(piece->data, tensor, at, n);
        if (!file_out_write(out, piece->data, (size_t)n * size, err))
            return false;
    }
    return true;
}

static bool write_all(const char *path, const Buf *header, const NamedTensor *const *order, int n, Buf *piece, unsigned mode, Err *err)
{
    FileOut *out = file_out_new(path, mode, err);
    bool ok = out && file_out_write(out, header->data, header->size, err);
    for (int i = 0; ok && i < n; i++)
        ok = write_tensor(out, &order[i]->tensor, piece, err);
    ok = ok && file_out_commit(out, err);
    file_out_free(out);
    return ok;
}

bool safetensors_save(const char *path, const NamedTensor *items, int n, const SafeMeta *meta, int n_meta, unsigned mode, Err *err)
{
    if (!named_check_unique(items, n, path, err)) {
        if (err && err->code == ERR_DATA)
            err->code = ERR_ARG;
        return false;
    }
    Buf header = BUF_INIT, piece = BUF_INIT;
    const NamedTensor **order = mem_alloc((size_t)n, sizeof *order, err);
    bool ok = order && (buf_extend(&piece, PIECE * 4) || buf_ok(&piece, err));
    if (ok) {
        for (int i = 0; i < n; i++)
            order[i] = &items[i];
        if (n)
            qsort(order, (size_t)n, sizeof *order, by_type_and_name);
        ok = make_header(&header, order, n, meta, n_meta, err) || err_wrap(err, "%s", path);
    }
    ok = ok && write_all(path, &header, order, n, &piece, mode, err);
    mem_free(order);
    buf_fini(&piece);
    buf_fini(&header);
    return ok;
}
