// SPDX-License-Identifier: MIT
/* The reader. Source: the format's README and the checks of its reference reader (SafeTensors::read_metadata). */
#include "formats/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/name.h"

#define PIECE 8192 /* bytes converted at a time, a multiple of every element's size */

struct SafeTensors {
    char *path;           /* owned */
    int fd;               /* -1: in memory */
    const uint8_t *bytes; /* borrowed, when in memory */
    uint64_t size;        /* of the file */
    json_t *root;         /* owned; names and metadata point into it */
    SafeEntry *entries;   /* owned, by offset */
    int *by_name;         /* owned: numbers of entries */
    int n;
    SafeMeta *meta; /* owned */
    int n_meta;
};

static const struct {
    const char *name;
    int bits;
    int element; /* -1: nothing here holds it */
} types[] = {
    { "F32", 32, ELEMENT_F32 }, { "F16", 16, ELEMENT_F16 }, { "BF16", 16, ELEMENT_BF16 }, { "F64", 64, ELEMENT_F64 },
    { "I64", 64, ELEMENT_I64 }, { "I32", 32, ELEMENT_I32 }, { "I16", 16, ELEMENT_I16 },   { "I8", 8, ELEMENT_I8 },
    { "U64", 64, ELEMENT_U64 }, { "U32", 32, ELEMENT_U32 }, { "U16", 16, ELEMENT_U16 },   { "U8", 8, ELEMENT_U8 },
    { "BOOL", 8, ELEMENT_BOOL }, { "C64", 64, -1 },         { "F8_E4M3", 8, -1 },         { "F8_E5M2", 8, -1 },
    { "F8_E8M0", 8, -1 },       { "F8_E4M3FNUZ", 8, -1 },   { "F8_E5M2FNUZ", 8, -1 },     { "F6_E2M3", 6, -1 },
    { "F6_E3M2", 6, -1 },       { "F4", 4, -1 },
};
enum { N_TYPES = sizeof types / sizeof *types };

static bool fetch(const SafeTensors *file, void *out, size_t n, uint64_t at, Err *err)
{
    if (file->fd < 0) {
        memcpy(out, file->bytes + at, n);
        return true;
    }
    for (char *to = out; n > 0;) {
        ssize_t got = pread(file->fd, to, n > (1u << 30) ? 1u << 30 : n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_IO, "%s: cannot be read at byte %llu: %s", file->path, (unsigned long long)at, strerror(errno));
        if (got == 0)
            return err_set(err, ERR_IO, "%s: became shorter while it was read (at byte %llu)", file->path, (unsigned long long)at);
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

/* ---- the header ---- */

static bool refuse(const SafeTensors *file, const char *name, const char *why, Err *err)
{
    char text[NAMED_TEXT];
    return err_set(err, ERR_DATA, "%s: tensor \"%s\": %s", file->path, named_text(name, strlen(name), text), why);
}

static bool load_json(SafeTensors *file, uint64_t *start, Err *err)
{
    uint8_t head[8];
    if (file->size < 8)
        return err_set(err, ERR_DATA, "%s: not a safetensors file (%llu bytes; the header's length alone has 8)", file->path,
                       (unsigned long long)file->size);
    if (!fetch(file, head, 8, 0, err))
        return false;
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | head[i];
    if (n > SAFETENSORS_HEADER_MOST)
        return err_set(err, ERR_DATA, "%s: bytes 0 to 7 say that the header has %llu bytes, more than the %d allowed: not a safetensors file?",
                       file->path, (unsigned long long)n, SAFETENSORS_HEADER_MOST);
    if (n > file->size - 8)
        return err_set(err, ERR_DATA, "%s: bytes 0 to 7 say that the header has %llu bytes, but only %llu follow (cut off?)", file->path,
                       (unsigned long long)n, (unsigned long long)file->size - 8);
    char *text = mem_alloc((size_t)n, 1, err);
    if (!text || !fetch(file, text, (size_t)n, 8, err)) {
        mem_free(text);
        return false;
    }
    json_error_t why;
    char shown[NAMED_TEXT];
    file->root = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, &why);
    mem_free(text);
    if (!file->root)
        return err_set(err, ERR_DATA, "%s: near byte %lld, in the header (JSON in UTF-8 is wanted): %s", file->path,
                       8 + (long long)why.position, named_text(why.text, strlen(why.text), shown));
    if (!json_is_object(file->root))
        return err_set(err, ERR_DATA, "%s: byte 8: the header must be a JSON object { ... }", file->path);
    *start = 8 + n;
    return true;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const SafeMeta *)a)->key, ((const SafeMeta *)b)->key);
}

static bool read_meta(SafeTensors *file, json_t *object, Err *err)
{
    if (!json_is_object(object))
        return err_set(err, ERR_DATA, "%s: __metadata__ must be an object of texts", file->path);
    file->meta = mem_alloc(json_object_size(object), sizeof *file->meta, err);
    if (!file->meta)
        return false;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        char text[NAMED_TEXT];
        if (!json_is_string(value))
            return err_set(err, ERR_DATA, "%s: __metadata__: the value of \"%s\" must be a text", file->path,
                           named_text(key, strlen(key), text));
        file->meta[file->n_meta++] = (SafeMeta){ .key = key, .value = json_string_value(value) };
    }
    if (file->n_meta)
        qsort(file->meta, (size_t)file->n_meta, sizeof *file->meta, by_key);
    return true;
}

static bool natural(const json_t *value, uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

/* Type, shape and offsets as they stand there; their sense is checked when all are known. */
static bool read_entry(SafeTensors *file, const char *name, json_t *object, SafeEntry *out, Err *err)
{
    json_t *type = json_object_get(object, "dtype"), *shape = json_object_get(object, "shape"),
           *offsets = json_object_get(object, "data_offsets");
    if (!json_is_string(type) || !json_is_array(shape) || !json_is_array(offsets) || json_array_size(offsets) != 2)
        return refuse(file, name, "dtype (a text), shape and data_offsets (two numbers) are wanted", err);
    *out = (SafeEntry){ .name = name, .readable = true };
    if (!natural(json_array_get(offsets, 0), &out->begin) || !natural(json_array_get(offsets, 1), &out->end))
        return refuse(file, name, "data_offsets must be two whole numbers, 0 or more", err);
    for (size_t i = 0; i < json_array_size(shape); i++) {
        uint64_t size;
        if (!natural(json_array_get(shape, i), &size))
            return refuse(file, name, "the shape must hold whole numbers, 0 or more", err);
        if (i < SHAPE_MOST)
            out->shape.d[i] = (int64_t)size;
    }
    out->shape.rank = json_array_size(shape) <= SHAPE_MOST ? (int)json_array_size(shape) : 0;
    out->readable = json_array_size(shape) <= SHAPE_MOST;
    for (int i = 0; i < N_TYPES; i++)
        if (strcmp(types[i].name, json_string_value(type)) == 0) {
            out->type_name = types[i].name;
            out->readable = out->readable && types[i].element >= 0;
            out->element = types[i].element >= 0 ? (Element)types[i].element : ELEMENT_U8;
            out->dtype = element_dtype(out->element);
        }
    return out->type_name || refuse(file, name, "its dtype is no type of safetensors", err);
}

static int by_offset(const void *a, const void *b)
{
    const SafeEntry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Bytes that shape and type need. */
static bool needed_size(const SafeTensors *file, const SafeEntry *entry, uint64_t *out, Err *err)
{
    const json_t *shape = json_object_get(json_object_get(file->root, entry->name), "shape");
    uint64_t n = 1;
    for (size_t i = 0; i < json_array_size(shape); i++) {
        uint64_t size = (uint64_t)json_integer_value(json_array_get(shape, i));
        if (size && n > UINT64_MAX / size)
            return refuse(file, entry->name, "the product of its shape overflows", err);
        n *= size;
    }
    uint64_t bits = 0;
    for (int i = 0; i < N_TYPES; i++)
        if (types[i].name == entry->type_name)
            bits = (uint64_t)types[i].bits;
    if (n > UINT64_MAX / bits)
        return refuse(file, entry->name, "its size in bits overflows", err);
    if (n * bits % 8 != 0)
        return refuse(file, entry->name, "its size is no whole number of bytes", err);
    *out = n * bits / 8;
    return true;
}

/* Entries by offset: they begin at 0 and touch one another, hold what their shapes need, and the last ends the file. */
static bool check_layout(SafeTensors *file, uint64_t start, Err *err)
{
    uint64_t at = 0;
    for (int i = 0; i < file->n; i++) {
        SafeEntry *entry = &file->entries[i];
        if (entry->begin != at || entry->end < entry->begin)
            return refuse(file, entry->name, "its data_offsets leave a gap, overlap or run backwards", err);
        at = entry->end;
    }
    for (int i = 0; i < file->n; i++) {
        uint64_t size = 0;
        if (!needed_size(file, &file->entries[i], &size, err))
            return false;
        if (size != file->entries[i].end - file->entries[i].begin)
            return refuse(file, file->entries[i].name, "its data_offsets do not hold as many bytes as dtype and shape need", err);
    }
    if (at != file->size - start)
        return err_set(err, ERR_DATA, "%s: the tensors end at byte %llu, the file at byte %llu", file->path,
                       (unsigned long long)(start + at), (unsigned long long)file->size);
    for (int i = 0; i < file->n; i++) {
        file->entries[i].begin += start;
        file->entries[i].end += start;
    }
    return true;
}

/* by_name ordered by a heap sort: qsort has no place for the table it compares by. */
static void sift(const SafeTensors *file, int top, int n)
{
    int *order = file->by_name;
    for (int child; (child = 2 * top + 1) < n; top = child) {
        if (child + 1 < n && strcmp(file->entries[order[child]].name, file->entries[order[child + 1]].name) < 0)
            child++;
        if (strcmp(file->entries[order[top]].name, file->entries[order[child]].name) >= 0)
            return;
        int swap = order[top];
        order[top] = order[child];
        order[child] = swap;
    }
}

static void sort_by_name(SafeTensors *file)
{
    for (int i = 0; i < file->n; i++)
        file->by_name[i] = i;
    for (int i = file->n / 2; i-- > 0;)
        sift(file, i, file->n);
    for (int n = file->n; n-- > 1;) {
        int swap = file->by_name[0];
        file->by_name[0] = file->by_name[n];
        file->by_name[n] = swap;
        sift(file, 0, n);
    }
}

static bool read_header(SafeTensors *file, Err *err)
{
    uint64_t start;
    if (!load_json(file, &start, err))
        return false;
    size_t n = json_object_size(file->root);
    file->entries = mem_alloc(n, sizeof *file->entries, err);
    file->by_name = mem_alloc(n, sizeof *file->by_name, err);
    if (!file->entries || !file->by_name)
        return err_wrap(err, "%s", file->path);
    const char *name;
    json_t *value;
    json_object_foreach(file->root, name, value) {
        if (strcmp(name, "__metadata__") == 0) {
            if (!read_meta(file, value, err))
                return false;
        } else if (!read_entry(file, name, value, &file->entries[file->n++], err)) {
            return false;
        }
    }
    if (file->n)
        qsort(file->entries, (size_t)file->n, sizeof *file->entries, by_offset);
    if (!check_layout(file, start, err))
        return false;
    sort_by_name(file);
    return true;
}

static SafeTensors *new_file(const char *path, Err *err)
{
    SafeTensors *file = mem_zero(1, sizeof *file, err);
    if (!file)
        return NULL;
    file->fd = -1;
    file->path = mem_copy_text(path, err);
    if (file->path)
        return file;
    mem_free(file);
    return NULL;
}

SafeTensors *safetensors_parse(const void *bytes, size_t n, const char *name, Err *err)
{
    SafeTensors *file = new_file(name, err);
    if (!file)
        return NULL;
    file->bytes = bytes;
    file->size = n;
    if (read_header(file, err))
        return file;
    safetensors_free(file);
    return NULL;
}

SafeTensors *safetensors_open(const char *path, Err *err)
{
    SafeTensors *file = new_file(path, err);
    if (!file)
        return NULL;
    struct stat st;
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file->fd < 0 || fstat(file->fd, &st) != 0)
        err_set(err, ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        err_set(err, ERR_IO, "%s: %s, a file is wanted", path, S_ISDIR(st.st_mode) ? "is a folder" : "is not a regular file");
    else {
        file->size = (uint64_t)st.st_size;
        if (read_header(file, err))
            return file;
    }
    safetensors_free(file);
    return NULL;
}

void safetensors_free(SafeTensors *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    json_decref(file->root);
    mem_free(file->entries);
    mem_free(file->by_name);
    mem_free(file->meta);
    mem_free(file->path);
    mem_free(file);
}

/* ---- what is in it ---- */

int safetensors_count(const SafeTensors *file)
{
    return file->n;
}

const SafeEntry *safetensors_at(const SafeTensors *file, int i)
{
    return &file->entries[i];
}

const SafeEntry *safetensors_find(const SafeTensors *file, const char *name)
{
    for (int low = 0, high = file->n; low < high;) {
        int middle = low + (high - low) / 2;
        const SafeEntry *entry = &file->entries[file->by_name[middle]];
        int order = strcmp(name, entry->name);
        if (order == 0)
            return entry;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

int safetensors_meta_count(const SafeTensors *file)
{
    return file->n_meta;
}

const SafeMeta *safetensors_meta_at(const SafeTensors *file, int i)
{
    return &file->meta[i];
}

const char *safetensors_meta(const SafeTensors *file, const char *key)
{
    for (int i = 0; i < file->n_meta; i++)
        if (strcmp(file->meta[i].key, key) == 0)
            return file->meta[i].value;
    return NULL;
}

/* ---- tensors ---- */

static bool fill(const SafeTensors *file, const SafeEntry *entry, Tensor *into, Err *err)
{
    size_t size = element_size(entry->element), step = dtype_size(into->dtype);
    int64_t count = tensor_count(into), piece = PIECE / (int64_t)size;
    if (element_is_native(entry->element, false, into->dtype))
        return fetch(file, into->data, (size_t)count * size, entry->begin, err);
    uint8_t block[PIECE];
    for (int64_t at = 0; at < count; at += piece) {
        int64_t n = count - at < piece ? count - at : piece;
        if (!fetch(file, block, (size_t)n * size, entry->begin + (uint64_t)at * size, err))
            return false;
        char text[NAMED_TEXT];
        if (!element_read((char *)into->data + (size_t)at * step, into->dtype, block, entry->element, false, n, at, err))
            return err_wrap(err, "%s: tensor \"%s\"", file->path, named_text(entry->name, strlen(entry->name), text));
    }
    return true;
}

bool safetensors_read(const SafeTensors *file, const SafeEntry *entry, Tensor *into, Err *err)
{
    char wanted[SHAPE_TEXT], got[SHAPE_TEXT];
    if (!entry->readable)
        return refuse(file, entry->name, "its type or rank has no counterpart here; convert it to float32 first", err);
    if (!shape_same(&entry->shape, &into->shape))
        return err_set(err, ERR_SHAPE, "%s: tensor \"%.60s\" has shape %s, %s is wanted", file->path, entry->name,
                       shape_text(&entry->shape, got), shape_text(&into->shape, wanted));
    return fill(file, entry, into, err);
}

bool safetensors_get(const SafeTensors *file, const char *name, DType dtype, Tensor *out, Err *err)
{
    *out = (Tensor){ 0 };
    const SafeEntry *entry = safetensors_find(file, name);
    if (!entry) {
        NameSearch search;
        char hint[96], text[NAMED_TEXT];
        name_search(&search, name);
        for (int i = 0; i < file->n; i++)
            name_offer(&search, file->entries[i].name);
        return err_set(err, ERR_NAME, "%s holds no tensor \"%s\"%s", file->path, named_text(name, strlen(name), text),
                       name_hint(&search, hint));
    }
    if (!entry->readable)
        return refuse(file, name, "its type or rank has no counterpart here; convert it to float32 first", err);
    if (!element_check_shape(&entry->shape, file->path, err) || !tensor_new(out, dtype, entry->shape, err))
        return false;
    if (fill(file, entry, out, err))
        return true;
    tensor_unref(out);
    return false;
}
