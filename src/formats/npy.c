// SPDX-License-Identifier: MIT
/* The header is a Python dict literal with exactly the keys descr, fortran_order and shape, in any order:
 *   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 * A Scan walks over it; each step is a small parser that fails by setting `what` to what was wanted. */
#include "formats/npy.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "formats/element.h"
#include "formats/packed.h"

#define HEADER_MOST 10000 /* bytes, NumPy's own bound */
#define MAGIC "\x93NUMPY"

typedef struct Scan {
    const char *name;         /* of the file */
    const char *start, *p, *end; /* the file, and the part of its header still to be read */
    Err *err;
} Scan;

typedef struct Header {
    Element element;
    bool big_endian, fortran;
    Shape shape;
    bool has_descr, has_order, has_shape;
} Header;

static bool refuse(const Scan *s, const char *wanted)
{
    return err_set(s->err, ERR_DATA, "%s: byte %zu of the NPY header: %s", s->name, (size_t)(s->p - s->start), wanted);
}

static void skip_blanks(Scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool accept(Scan *s, char c)
{
    skip_blanks(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool expect(Scan *s, char c)
{
    char wanted[] = "' ' wanted";
    wanted[1] = c;
    return accept(s, c) || refuse(s, wanted);
}

/* A text in single or double quotes without escapes. */
static bool read_text(Scan *s, char *out, size_t size)
{
    skip_blanks(s);
    if (s->p == s->end || (*s->p != '\'' && *s->p != '"'))
        return refuse(s, "a quoted text wanted");
    char quote = *s->p++;
    size_t n = 0;
    for (; s->p < s->end && *s->p != quote; s->p++) {
        if (n + 1 == size || *s->p == '\\' || (unsigned char)*s->p < ' ')
            return refuse(s, "a text too long or with escapes");
        out[n++] = *s->p;
    }
    out[n] = '\0';
    return expect(s, quote);
}

static bool read_word(Scan *s, const char *word)
{
    size_t n = strlen(word);
    skip_blanks(s);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return false;
    s->p += n;
    return true;
}

static bool read_size(Scan *s, int64_t *out)
{
    const char *first = s->p;
    int64_t value = 0;
    for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
        if (value > (TENSOR_ELEMENTS_MOST - 9) / 10)
            return refuse(s, "a size too large");
        value = 10 * value + (*s->p - '0');
    }
    if (s->p == first)
        return refuse(s, "a size (whole number) wanted");
    if (s->p < s->end && *s->p == 'L') /* Python 2 wrote long integers so */
        s->p++;
    *out = value;
    return true;
}

/* (), (3,), (2, 3), (2, 3, ) */
static bool read_shape(Scan *s, Shape *shape)
{
    *shape = (Shape){ 0 };
    if (!expect(s, '('))
        return false;
    bool comma = true;
    while (!accept(s, ')')) {
        if (!comma)
            return refuse(s, "',' or ')' wanted in the shape");
        if (shape->rank == SHAPE_MOST)
            return refuse(s, "more axes than a tensor may have (8)");
        if (!read_size(s, &shape->d[shape->rank]))
            return false;
        shape->rank++;
        comma = accept(s, ',');
        if (shape->rank == 1 && !comma)
            return refuse(s, "',' wanted after a single size");
    }
    return element_check_shape(shape, s->name, s->err);
}

static bool read_descr(Scan *s, Header *h)
{
    static const struct {
        const char *code;
        Element element;
    } rows[] = { { "b1", ELEMENT_BOOL }, { "u1", ELEMENT_U8 },  { "i1", ELEMENT_I8 },  { "u2", ELEMENT_U16 },
                 { "i2", ELEMENT_I16 },  { "u4", ELEMENT_U32 }, { "i4", ELEMENT_I32 }, { "u8", ELEMENT_U64 },
                 { "i8", ELEMENT_I64 },  { "f2", ELEMENT_F16 }, { "f4", ELEMENT_F32 }, { "f8", ELEMENT_F64 } };
    char descr[16];
    skip_blanks(s);
    if (s->p < s->end && *s->p == '[')
        return refuse(s, "it holds records with named fields; save each field as an array of its own");
    if (!read_text(s, descr, sizeof descr))
        return false;
    char order = descr[0];
    const char *code = strchr("<>|=", order) && order ? descr + 1 : descr;
    h->big_endian = order == '>';
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].code, code) == 0) {
            h->element = rows[i].element;
            return true;
        }
    if (code[0] == 'O')
        return refuse(s, "it holds Python objects, which only running a pickle could restore; hebb does not. Save plain numbers "
                         "(numpy.save of an array with dtype float32)");
    return err_set(s->err, ERR_DATA, "%s: elements of NumPy's type \"%s\" are not read; convert the array to float32 or int32", s->name,
                   descr);
}

static bool read_entry(Scan *s, Header *h)
{
    char key[16];
    if (!read_text(s, key, sizeof key) || !expect(s, ':'))
        return false;
    bool *has = strcmp(key, "descr") == 0 ? &h->has_descr
        : strcmp(key, "fortran_order") == 0 ? &h->has_order
        : strcmp(key, "shape") == 0 ? &h->has_shape : NULL;
    if (!has || *has)
        return refuse(s, has ? "a key stands there twice" : "only descr, fortran_order and shape are known");
    *has = true;
    if (has == &h->has_descr)
        return read_descr(s, h);
    if (has == &h->has_shape)
        return read_shape(s, &h->shape);
    h->fortran = read_word(s, "True");
    return h->fortran || read_word(s, "False") || refuse(s, "True or False wanted");
}

static bool read_dict(Scan *s, Header *h)
{
    if (!expect(s, '{'))
        return false;
    bool comma = true;
    while (!accept(s, '}')) {
        if (!comma)
            return refuse(s, "',' or '}' wanted");
        if (!read_entry(s, h))
            return false;
        comma = accept(s, ',');
    }
    skip_blanks(s);
    if (s->p != s->end)
        return refuse(s, "something stands behind the '}'");
    return (h->has_descr && h->has_order && h->has_shape) || refuse(s, "descr, fortran_order or shape is missing");
}

/* Bytes before the data, or 0. */
static size_t read_header(const char *bytes, size_t n, const char *name, Header *h, Err *err)
{
    const unsigned char *u = (const unsigned char *)bytes;
    if (n < 10 || memcmp(bytes, MAGIC, 6) != 0) {
        err_set(err, ERR_DATA, "%s: not an NPY file (it should begin with the bytes 93 'NUMPY')", name);
        return 0;
    }
    if (u[6] < 1 || u[6] > 3 || (u[6] > 1 && n < 12)) {
        err_set(err, ERR_DATA, "%s: NPY version %d.%d is not known (1.0 to 3.0 are), or the file is cut off", name, u[6], u[7]);
        return 0;
    }
    size_t start = u[6] == 1 ? 10 : 12;
    size_t size = u[8] | (size_t)u[9] << 8;
    if (u[6] > 1)
        size |= (size_t)u[10] << 16 | (size_t)u[11] << 24;
    if (size > HEADER_MOST || size > n - start) {
        err_set(err, ERR_DATA, "%s: byte 8 says the header has %zu bytes; at most %zu can be (the file holds %zu)", name, size,
                n - start < HEADER_MOST ? n - start : (size_t)HEADER_MOST, n);
        return 0;
    }
    Scan s = { .name = name, .start = bytes, .p = bytes + start, .end = bytes + start + size, .err = err };
    return read_dict(&s, h) ? start + size : 0;
}

/* Stored first axis fastest -> last axis fastest. Step by step through the target, following the source's strides. */
static void from_fortran(char *out, const char *in, const Shape *shape, size_t size)
{
    int64_t stride[SHAPE_MOST], at[SHAPE_MOST] = { 0 }, step = 1, count = shape_count(shape), from = 0;
    for (int i = 0; i < shape->rank; i++) {
        stride[i] = step;
        step *= shape->d[i];
    }
    for (int64_t k = 0; k < count; k++) {
        memcpy(out + (size_t)k * size, in + (size_t)from * size, size);
        for (int i = shape->rank - 1; i >= 0; i--) {
            from += stride[i];
            if (++at[i] < shape->d[i])
                break;
            from -= stride[i] * shape->d[i];
            at[i] = 0;
        }
    }
}

bool npy_parse(const void *bytes, size_t n, const char *name, Tensor *out, Err *err)
{
    Header h = { 0 };
    size_t start = read_header(bytes, n, name, &h, err);
    if (!start)
        return false;
    size_t size = element_size(h.element);
    int64_t count = shape_count(&h.shape);
    uint64_t want = (uint64_t)count * size;
    char text[SHAPE_TEXT];
    if (want != n - start)
        return err_set(err, ERR_DATA, "%s: shape %s of %zu-byte elements is %llu bytes after byte %zu, but %zu are there", name,
                       shape_text(&h.shape, text), size, (unsigned long long)want, start, n - start);
    const char *data = (const char *)bytes + start;
    char *turned = NULL;
    if (h.fortran && h.shape.rank > 1) {
        turned = mem_alloc((size_t)count, size, err);
        if (!turned)
            return err_wrap(err, "%s", name);
        from_fortran(turned, data, &h.shape, size);
        data = turned;
    }
    bool ok = tensor_new(out, element_dtype(h.element), h.shape, err);
    if (ok && !element_read(out->data, out->dtype, data, h.element, h.big_endian, count, 0, err)) {
        tensor_unref(out);
        ok = false;
    }
    mem_free(turned);
    return ok || err_wrap(err, "%s", name);
}

bool npy_load(const char *path, Tensor *out, Err *err)
{
    Buf bytes = BUF_INIT;
    bool ok = packed_read(path, &bytes, err) && npy_parse(bytes.data, bytes.size, path, out, err);
    buf_fini(&bytes);
    return ok;
}

/* NumPy leaves room after the dict so that the first size could grow to 21 digits in place. */
size_t npy_header(char out[NPY_HEADER_MOST], const Tensor *tensor)
{
    const Shape *shape = &tensor->shape;
    const char *descr = tensor->dtype == DTYPE_FLOAT32 ? "<f4" : tensor->dtype == DTYPE_INT32 ? "<i4" : "|u1";
    int n = 10;
    n += snprintf(out + n, NPY_HEADER_MOST - (size_t)n, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int i = 0; i < shape->rank; i++)
        n += snprintf(out + n, NPY_HEADER_MOST - (size_t)n, i ? ", %lld" : "%lld", (long long)shape->d[i]);
    n += snprintf(out + n, NPY_HEADER_MOST - (size_t)n, "%s), }", shape->rank == 1 ? "," : "");
    if (shape->rank > 0) {
        int digits = snprintf(NULL, 0, "%lld", (long long)shape->d[0]);
        for (int i = digits; i < 21; i++)
            out[n++] = ' ';
    }
    for (int pad = 64 - (n + 1) % 64; pad > 0; pad--) /* 1 to 64, as NumPy counts */
        out[n++] = ' ';
    out[n++] = '\n';
    memcpy(out, MAGIC "\1\0", 8);
    out[8] = (char)((n - 10) & 255);
    out[9] = (char)((n - 10) >> 8);
    return (size_t)n;
}

bool npy_save(const char *path, const Tensor *tensor, Err *err)
{
    enum { PIECE = 1 << 14 };
    char header[NPY_HEADER_MOST];
    size_t start = npy_header(header, tensor), size = element_size(element_of(tensor->dtype));
    char *piece = mem_alloc(PIECE, 4, err);
    FileOut *out = piece ? file_out_new(path, 0666, err) : NULL;
    bool ok = out && file_out_write(out, header, start, err);
    int64_t count = tensor_count(tensor);
    for (int64_t at = 0; ok && at < count; at += PIECE) {
        int64_t n = count - at < PIECE ? count - at : PIECE;
        element_write(piece, tensor, at, n);
        ok = file_out_write(out, piece, (size_t)n * size, err);
    }
    ok = ok && file_out_commit(out, err);
    file_out_free(out);
    mem_free(piece);
    return ok;
}
