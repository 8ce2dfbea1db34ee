// SPDX-License-Identifier: MIT
#include "formats/idx.h"

#include <string.h>

#include "base/file.h"
#include "formats/element.h"
#include "formats/packed.h"

static bool element_of_type(unsigned type, Element *out)
{
    static const struct {
        unsigned type;
        Element element;
    } rows[] = { { 0x08, ELEMENT_U8 },  { 0x09, ELEMENT_I8 },  { 0x0B, ELEMENT_I16 },
                 { 0x0C, ELEMENT_I32 }, { 0x0D, ELEMENT_F32 }, { 0x0E, ELEMENT_F64 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].type == type) {
            *out = rows[i].element;
            return true;
        }
    return false;
}

static bool read_header(const uint8_t *p, size_t n, const char *name, Element *element, Shape *shape, Err *err)
{
    if (n < 4 || p[0] != 0 || p[1] != 0)
        return err_set(err, ERR_DATA, "%s: not an IDX file (it should begin with two zero bytes, a type and a rank)", name);
    if (!element_of_type(p[2], element))
        return err_set(err, ERR_DATA, "%s: byte 2 is %u, which is no type of IDX (8, 9, 11 to 14)", name, p[2]);
    if (p[3] < 1 || p[3] > SHAPE_MOST)
        return err_set(err, ERR_DATA, "%s: byte 3 says rank %u; 1 to %d are read", name, p[3], SHAPE_MOST);
    shape->rank = p[3];
    if (n < 4 + 4 * (size_t)shape->rank)
        return err_set(err, ERR_DATA, "%s: cut off in its header (%zu bytes of %d)", name, n, 4 + 4 * shape->rank);
    for (int i = 0; i < shape->rank; i++) {
        const uint8_t *q = p + 4 + 4 * i;
        shape->d[i] = (int64_t)((uint32_t)q[0] << 24 | (uint32_t)q[1] << 16 | (uint32_t)q[2] << 8 | q[3]);
    }
    return element_check_shape(shape, name, err);
}

bool idx_parse(const void *bytes, size_t n, const char *name, Tensor *out, Err *err)
{
    Element element = ELEMENT_U8;
    Shape shape = { 0 };
    if (!read_header(bytes, n, name, &element, &shape, err))
        return false;
    size_t start = 4 + 4 * (size_t)shape.rank;
    uint64_t want = (uint64_t)shape_count(&shape) * element_size(element); /* at most 2^48 times 8 */
    char text[SHAPE_TEXT];
    if (want != n - start)
        return err_set(err, ERR_DATA, "%s: the header says %s, that is %llu bytes after byte %zu, but %zu are there", name,
                       shape_text(&shape, text), (unsigned long long)want, start, n - start);
    if (!tensor_new(out, element_dtype(element), shape, err))
        return err_wrap(err, "%s", name);
    if (element_read(out->data, out->dtype, (const char *)bytes + start, element, true, shape_count(&shape), 0, err))
        return true;
    tensor_unref(out);
    return err_wrap(err, "%s", name);
}

bool idx_load(const char *path, Tensor *out, Err *err)
{
    Buf bytes = BUF_INIT;
    bool ok = packed_read(path, &bytes, err) && idx_parse(bytes.data, bytes.size, path, out, err);
    buf_fini(&bytes);
    return ok;
}

/* In place: every four bytes, last first. */
static void reverse4(uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 4 <= n; i += 4) {
        uint8_t a = p[i], b = p[i + 1];
        p[i] = p[i + 3];
        p[i + 1] = p[i + 2];
        p[i + 2] = b;
        p[i + 3] = a;
    }
}

bool idx_save(const char *path, const Tensor *tensor, Err *err)
{
    enum { PIECE = 4096 };
    const Shape *shape = &tensor->shape;
    if (shape->rank < 1)
        return err_set(err, ERR_SHAPE, "%s: IDX needs a shape of at least one axis", path);
    uint8_t header[4 + 4 * SHAPE_MOST] = { 0, 0, tensor->dtype == DTYPE_UINT8 ? 0x08 : tensor->dtype == DTYPE_INT32 ? 0x0C : 0x0D };
    header[3] = (uint8_t)shape->rank;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->d[i] > UINT32_MAX)
            return err_set(err, ERR_SHAPE, "%s: axis %d has %lld elements, more than IDX can say", path, i, (long long)shape->d[i]);
        for (int b = 0; b < 4; b++)
            header[4 + 4 * i + b] = (uint8_t)(shape->d[i] >> (24 - 8 * b));
    }
    FileOut *out = file_out_new(path, 0666, err);
    bool ok = out && file_out_write(out, header, 4 + 4 * (size_t)shape->rank, err);
    int64_t count = tensor_count(tensor);
    uint8_t piece[4 * PIECE];
    size_t size = element_size(element_of(tensor->dtype));
    for (int64_t at = 0; ok && at < count; at += PIECE) {
        int64_t n = count - at < PIECE ? count - at : PIECE;
        element_write(piece, tensor, at, n);
        if (size == 4)
            reverse4(piece, (size_t)n * 4);
        ok = file_out_write(out, piece, (size_t)n * size, err);
    }
    ok = ok && file_out_commit(out, err);
    file_out_free(out);
    return ok;
}
