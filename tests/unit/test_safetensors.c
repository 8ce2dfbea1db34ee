// SPDX-License-Identifier: MIT
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "fixture.h"
#include "formats/safetensors.h"
#include "scratch.h"

static int begin(void **state)
{
    (void)state;
    scratch_begin();
    return 0;
}

static int end(void **state)
{
    (void)state;
    mem_fail_after(-1);
    file_fail_after(-1);
    scratch_end();
    return 0;
}

static void reads_the_references_file(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    SafeTensors *file = safetensors_open(fixture_path("formats/written.safetensors"), &err);
    assert_non_null(file);
    assert_int_equal(safetensors_count(file), 7);
    assert_int_equal(safetensors_meta_count(file), 1);
    assert_string_equal(safetensors_meta(file, "format"), "np");
    assert_null(safetensors_meta(file, "none"));
    assert_string_equal(safetensors_meta_at(file, 0)->key, "format");
    const SafeEntry *entry = safetensors_find(file, "layer/kernel");
    assert_non_null(entry);
    assert_string_equal(entry->type_name, "F32");
    assert_int_equal(entry->dtype, DTYPE_FLOAT32);
    assert_null(safetensors_find(file, "layer/kerne"));
    for (int i = 0; i < safetensors_count(file); i++) {
        assert_ptr_equal(safetensors_find(file, safetensors_at(file, i)->name), safetensors_at(file, i));
        assert_true(i == 0 || safetensors_at(file, i)->begin == safetensors_at(file, i - 1)->end);
    }
    Tensor t;
    assert_ok(safetensors_get(file, "layer/kernel", DTYPE_FLOAT32, &t, &err));
    assert_shape(&t, 2, 3);
    for (int i = 0; i < 6; i++)
        assert_true(tensor_real(&t)[i] == (real)(i / 2.0 - 1));
    tensor_unref(&t);
    assert_ok(safetensors_get(file, "scalar", DTYPE_INT32, &t, &err));
    assert_int_equal(t.shape.rank, 0);
    assert_int_equal(tensor_int(&t)[0], -1);
    tensor_unref(&t);
    assert_ok(safetensors_get(file, "none", DTYPE_FLOAT32, &t, &err));
    assert_shape(&t, 0, 3);
    tensor_unref(&t);
    assert_ok(safetensors_get(file, "\"quoted\"\n\xC3\xA9", DTYPE_FLOAT32, &t, &err));
    tensor_unref(&t);
    assert_err(safetensors_get(file, "layer/kernl", DTYPE_FLOAT32, &t, &err), ERR_NAME, "did you mean \"layer/kernel\"");
    assert_err(safetensors_get(file, "layer/bias", DTYPE_INT32, &t, &err), ERR_DATA, "element 1 is -0.5");
    real block[6];
    Tensor into = tensor_borrow(DTYPE_FLOAT32, SHAPE(2, 3), block);
    assert_ok(safetensors_read(file, entry, &into, &err));
    assert_true(block[5] == (real)1.5);
    into.shape = SHAPE(3, 2);
    assert_err(safetensors_read(file, entry, &into, &err), ERR_SHAPE, "(2, 3), (3, 2) is wanted");
    safetensors_free(file);
    safetensors_free(NULL);
}

static void converts_every_type(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        DType natural;
    } rows[] = { { "f64", DTYPE_FLOAT32 }, { "f16", DTYPE_FLOAT32 }, { "i64", DTYPE_INT32 }, { "u64", DTYPE_INT32 }, { "u32", DTYPE_INT32 },
                 { "i16", DTYPE_INT32 },   { "u16", DTYPE_INT32 },   { "i8", DTYPE_INT32 },  { "bool", DTYPE_UINT8 } };
    Err err = ERR_INIT;
    SafeTensors *file = safetensors_open(fixture_path("formats/types.safetensors"), &err);
    assert_non_null(file);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const SafeEntry *entry = safetensors_find(file, rows[i].name);
        assert_non_null(entry);
        assert_true(entry->readable);
        assert_int_equal(entry->dtype, rows[i].natural);
        Tensor t;
        assert_ok(safetensors_get(file, rows[i].name, DTYPE_FLOAT32, &t, &err));
        assert_shape(&t, 3);
        for (int k = 0; k < 3; k++) {
            double want = rows[i].name[0] == 'f' ? k / 2.0 - 1 : rows[i].name[0] == 'b' ? k != 1 : k;
            assert_true(tensor_get(&t, k) == want);
        }
        tensor_unref(&t);
    }
    safetensors_free(file);
}

/* Text of a header -> a whole file with n data bytes of zero; free() it. */
static char *build(const char *header, size_t n_data, size_t *size)
{
    size_t n = strlen(header);
    char *bytes = calloc(1, 8 + n + n_data);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)((uint64_t)n >> 8 * i & 255);
    memcpy(bytes + 8, header, n);
    *size = 8 + n + n_data;
    return bytes;
}

static void the_check_file_made_by_hand(void **state)
{
    (void)state;
    static const char hex[] = "38000000000000007b2261223a7b226474797065223a22463332222c227368617065223a5b325d2c22646174615f6f66667365"
                              "7473223a5b302c385d7d7d20200000803f00000040";
    unsigned char bytes[72];
    for (size_t i = 0; i < sizeof bytes; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (unsigned char)byte;
    }
    Err err = ERR_INIT;
    SafeTensors *file = safetensors_parse(bytes, sizeof bytes, "hand", &err);
    assert_non_null(file);
    Tensor t;
    assert_ok(safetensors_get(file, "a", DTYPE_FLOAT32, &t, &err));
    assert_shape(&t, 2);
    assert_true(tensor_real(&t)[0] == 1 && tensor_real(&t)[1] == 2);
    NamedTensor item = { "a", t };
    assert_ok(safetensors_save(scratch_path("a.safetensors"), &item, 1, NULL, 0, 0666, &err));
    size_t n;
    char *written = scratch_read(scratch_path("a.safetensors"), &n);
    assert_int_equal(n, sizeof bytes);
    assert_memory_equal(written, bytes, n);
    free(written);
    tensor_unref(&t);
    safetensors_free(file);
}

static void what_is_legal(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t n_data;
        int count;
    } rows[] = {
        { "{}", 0, 0 },
        { " \n{}\t ", 0, 0 },
        { "{\"__metadata__\":{}}", 0, 0 },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, 1 },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[0,9],\"data_offsets\":[0,0]}}", 0, 1 },
        { "{\"b\":{\"data_offsets\":[4,5],\"shape\":[1],\"dtype\":\"U8\"},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5, 2 },
        { "{\"a\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]}}", 1, 1 },
        { "{\"a\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[0,3]}}", 3, 1 },
        { "{\"a\":{\"dtype\":\"F8_E4M3FNUZ\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2, 1 },
        { "{\"a\":{\"dtype\":\"C64\",\"shape\":[2],\"data_offsets\":[0,16]}}", 16, 1 },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,2]}}", 2, 1 },
    };
    Err err = ERR_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n;
        char *bytes = build(rows[i].header, rows[i].n_data, &n);
        SafeTensors *file = safetensors_parse(bytes, n, "legal", &err);
        if (!file)
            fail_msg("%s: %s", rows[i].header, err.text);
        assert_int_equal(safetensors_count(file), rows[i].count);
        if (i >= 6) { /* known, listed, and politely refused when asked for */
            Tensor t;
            assert_false(safetensors_at(file, 0)->readable);
            assert_err(safetensors_get(file, "a", DTYPE_FLOAT32, &t, &err), ERR_DATA, "no counterpart");
        }
        safetensors_free(file);
        free(bytes);
    }
}

static void what_is_refused(void **state)
{
    (void)state;
#define A "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}"
    static const struct {
        const char *header;
        size_t n_data;
        const char *message;
    } rows[] = {
        { "", 0, "header" },
        { "[]", 0, "JSON object" },
        { "{", 0, "byte" },
        { "{}x", 0, "end of file expected" },
        { "{\"a\":1}", 0, "are wanted" },
        { "{\"\xFF\":{}}", 0, "UTF-8" },
        { "{\"a\\u0000b\":{}}", 0, "byte" },
        { A "}", 3, "end at byte" },
        { A "}", 5, "end at byte" },
        { A "}", 0, "end at byte" },
        { A ",\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "uplicate" },
        { "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "uplicate" },
        { A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "overlap" },
        { A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}", 6, "overlap" },
        { A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[5,9]}}", 9, "gap" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "gap" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,5]}}", 5, "as many bytes" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "gap" },
        { "{\"z\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[4,0]}}", 4, "backwards" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-1,3]}}", 4, "0 or more" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "0 or more" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4, "whole numbers" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, "two numbers" },
        { "{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no type of safetensors" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, "overflows" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0, "overflows" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,0]}}", 0, "byte" },
        { "{\"a\":{\"dtype\":\"F4\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "whole number of bytes" },
        { "{\"__metadata__\":[]}", 0, "object of texts" },
        { "{\"__metadata__\":{\"a\":1}}", 0, "must be a text" },
        { "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "uplicate" },
    };
    Err err = ERR_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n;
        char *bytes = build(rows[i].header, rows[i].n_data, &n);
        assert_err(safetensors_parse(bytes, n, "attack", &err) != NULL, ERR_DATA, rows[i].message);
        assert_non_null(strstr(err.text, "attack"));
        free(bytes);
    }
    assert_err(safetensors_parse("", 0, "x", &err) != NULL, ERR_DATA, "0 bytes");
    assert_err(safetensors_parse("\1\0\0\0\0\0\0\0", 8, "x", &err) != NULL, ERR_DATA, "cut off");
    size_t peak = mem_peak();
    assert_err(safetensors_parse("\1\xE1\xF5\5\0\0\0\0{}", 10, "x", &err) != NULL, ERR_DATA, "more than the 100000000");
    assert_err(safetensors_parse("\0\xE1\xF5\5\0\0\0\0{}", 10, "x", &err) != NULL, ERR_DATA, "only 2 follow");
    assert_err(safetensors_parse("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10, "x", &err) != NULL, ERR_DATA, "not a safetensors");
    assert_true(mem_peak() <= peak + 4096);
    assert_err(safetensors_open(scratch_path("gone"), &err) != NULL, ERR_IO, "No such file");
    assert_err(safetensors_open(scratch_path(""), &err) != NULL, ERR_IO, "is a folder");

    Buf deep = BUF_INIT;
    for (int i = 0; i < 100000; i++)
        buf_puts(&deep, "{\"a\":");
    size_t n;
    char *bytes = build(buf_text(&deep), 0, &n);
    assert_err(safetensors_parse(bytes, n, "deep", &err) != NULL, ERR_DATA, "depth");
    free(bytes);
    buf_fini(&deep);
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    size_t n;
    char *bytes = fixture_read("formats/written.safetensors", &n);
    for (size_t k = 0; k < n; k++) {
        char *cut = malloc(k ? k : 1);
        memcpy(cut, bytes, k);
        assert_err(safetensors_parse(cut, k, "cut", &err) != NULL, ERR_DATA, "cut");
        free(cut);
    }
    free(bytes);
}

/* A flipped bit of length or header: refused, or what loads lies within the file and has the shape it declares. */
static void every_flip_of_the_header(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    size_t n;
    char *bytes = fixture_read("formats/written.safetensors", &n);
    size_t header = 8 + (unsigned char)bytes[0] + 256 * (size_t)(unsigned char)bytes[1];
    int loaded = 0;
    for (size_t bit = 0; bit < 8 * header; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        SafeTensors *file = safetensors_parse(bytes, n, "flip", &err);
        loaded += file != NULL;
        if (!file)
            assert_int_equal(err.code, ERR_DATA);
        for (int i = 0; file && i < safetensors_count(file); i++) {
            const SafeEntry *entry = safetensors_at(file, i);
            assert_true(entry->begin <= entry->end && entry->end <= n);
            if (!entry->readable)
                continue;
            assert_int_equal((uint64_t)shape_count(&entry->shape) * element_size(entry->element), entry->end - entry->begin);
            Tensor t;
            assert_ok(safetensors_get(file, entry->name, DTYPE_FLOAT32, &t, &err));
            assert_true(shape_same(&t.shape, &entry->shape));
            tensor_unref(&t);
        }
        safetensors_free(file);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    assert_true(loaded > 100); /* names may change freely */
    free(bytes);
}

static void writes_what_the_reference_writes(void **state)
{
    (void)state;
    static const char *const names[] = { "formats/written.safetensors", "formats/empty.safetensors" };
    Err err = ERR_INIT;
    for (int f = 0; f < 2; f++) {
        SafeTensors *file = safetensors_open(fixture_path(names[f]), &err);
        assert_non_null(file);
        NamedTensor items[8];
        SafeMeta meta[2];
        int n = safetensors_count(file);
        for (int i = 0; i < n; i++) {
            const SafeEntry *entry = safetensors_at(file, n - 1 - i); /* the order given must not matter */
            items[i].name = entry->name;
            assert_ok(safetensors_get(file, entry->name, entry->dtype, &items[i].tensor, &err));
        }
        for (int i = 0; i < safetensors_meta_count(file); i++)
            meta[i] = *safetensors_meta_at(file, i);
        assert_ok(safetensors_save(scratch_path("again"), items, n, meta, safetensors_meta_count(file), 0666, &err));
        size_t ours_n, theirs_n;
        char *ours = scratch_read(scratch_path("again"), &ours_n), *theirs = fixture_read(names[f], &theirs_n);
        assert_int_equal(ours_n, theirs_n);
        assert_memory_equal(ours, theirs, ours_n);
        free(ours);
        free(theirs);
        for (int i = 0; i < n; i++)
            tensor_unref(&items[i].tensor);
        safetensors_free(file);
    }
}

static void metadata_is_sorted_and_escaped(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    SafeMeta meta[] = { { "z", "last" }, { "a\"b", "tab\t nul-like \\u0000 \x01 \x7F \xE2\x82\xAC / \b\f" }, { "", "empty" } };
    assert_ok(safetensors_save(scratch_path("m"), NULL, 0, meta, 3, 0666, &err));
    size_t n;
    char *bytes = scratch_read(scratch_path("m"), &n);
    assert_int_equal(n % 8, 0);
    assert_non_null(strstr(bytes + 8, "{\"__metadata__\":{\"\":\"empty\",\"a\\\"b\":\"tab\\t nul-like \\\\u0000 \\u0001 \x7F \xE2\x82\xAC / \\b\\f\","
                                      "\"z\":\"last\"}}"));
    free(bytes);
    SafeTensors *file = safetensors_open(scratch_path("m"), &err);
    assert_non_null(file);
    for (int i = 0; i < 3; i++)
        assert_string_equal(safetensors_meta(file, meta[i].key), meta[i].value);
    safetensors_free(file);
}

static void what_cannot_be_written(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    int32_t one = 1;
    Tensor t = tensor_borrow(DTYPE_INT32, SHAPE(1), &one);
    const char *path = scratch_path("x");
    NamedTensor twice[] = { { "a", t }, { "b", t }, { "a", t } }, reserved[] = { { "__metadata__", t } }, latin[] = { { "caf\xE9", t } },
                overlong[] = { { "\xC0\xAF", t } }, surrogate[] = { { "\xED\xA0\x80", t } }, cut[] = { { "a\xE2\x82", t } };
    SafeMeta meta[] = { { "k", "1" }, { "k", "2" } }, bad[] = { { "k", "\xFF" } };
    assert_err(safetensors_save(path, twice, 3, NULL, 0, 0666, &err), ERR_ARG, "\"a\" stands there twice");
    assert_err(safetensors_save(path, reserved, 1, NULL, 0, 0666, &err), ERR_ARG, "__metadata__");
    assert_err(safetensors_save(path, latin, 1, NULL, 0, 0666, &err), ERR_ARG, "not UTF-8");
    assert_err(safetensors_save(path, overlong, 1, NULL, 0, 0666, &err), ERR_ARG, "not UTF-8");
    assert_err(safetensors_save(path, surrogate, 1, NULL, 0, 0666, &err), ERR_ARG, "not UTF-8");
    assert_err(safetensors_save(path, cut, 1, NULL, 0, 0666, &err), ERR_ARG, "not UTF-8");
    assert_err(safetensors_save(path, twice, 1, meta, 2, 0666, &err), ERR_ARG, "\"k\" stands there twice");
    assert_err(safetensors_save(path, twice, 1, bad, 1, 0666, &err), ERR_ARG, "not UTF-8");
    assert_false(file_exists(path));
}

/* Random sets of tensors: what comes back is what went in, and a second writing gives the same bytes. */
static void round_trips(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Rng rng;
    rng_init(&rng, 5, RNG_TEST, 0);
    for (int round = 0; round < 30; round++) {
        NamedList list = { 0 };
        int n = (int)rng_below(&rng, 12);
        for (int i = 0; i < n; i++) {
            Shape shape = { .rank = (int)rng_below(&rng, 5) };
            for (int k = 0; k < shape.rank; k++)
                shape.d[k] = (int64_t)rng_below(&rng, 9);
            Tensor t;
            assert_ok(tensor_new(&t, (DType)rng_below(&rng, DTYPE_COUNT), shape, &err));
            for (int64_t k = 0; k < tensor_count(&t); k++)
                tensor_set(&t, k, (double)rng_below(&rng, 200) / (t.dtype == DTYPE_FLOAT32 ? 8 : 1));
            char name[20];
            snprintf(name, sizeof name, "t%u_%d", rng_word(&rng) % 1000, i);
            assert_ok(named_add(&list, name, strlen(name), &t, &err));
        }
        assert_ok(safetensors_save(scratch_path("r1"), list.items, list.n, NULL, 0, 0666, &err));
        SafeTensors *file = safetensors_open(scratch_path("r1"), &err);
        assert_non_null(file);
        for (int i = 0; i < n; i++) {
            const Tensor *want = &list.items[i].tensor;
            Tensor got;
            assert_ok(safetensors_get(file, list.items[i].name, want->dtype, &got, &err));
            assert_true(shape_same(&want->shape, &got.shape));
            assert_memory_equal(want->data, got.data, tensor_size(want));
            tensor_unref(&got);
        }
        safetensors_free(file);
        assert_ok(safetensors_save(scratch_path("r2"), list.items, list.n, NULL, 0, 0666, &err));
        size_t a_n, b_n;
        char *a = scratch_read(scratch_path("r1"), &a_n), *b = scratch_read(scratch_path("r2"), &b_n);
        assert_int_equal(a_n, b_n);
        assert_memory_equal(a, b, a_n);
        free(a);
        free(b);
        named_fini(&list);
    }
}

static void loading_holds_no_copy_of_the_file(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor t;
    assert_ok(tensor_zero(&t, DTYPE_FLOAT32, SHAPE(1000, 4000), &err));
    tensor_set(&t, 3999999, 0.5);
    NamedTensor item = { "w", t };
    assert_ok(safetensors_save(scratch_path("big"), &item, 1, NULL, 0, 0666, &err));
    tensor_unref(&t);
    size_t before = mem_bytes();
    SafeTensors *file = safetensors_open(scratch_path("big"), &err);
    assert_non_null(file);
    assert_true(mem_bytes() < before + 4096);
    assert_ok(safetensors_get(file, "w", DTYPE_FLOAT32, &t, &err));
    assert_true(tensor_get(&t, 3999999) == 0.5);
    assert_true(mem_bytes() < before + tensor_size(&t) + 8192);
    safetensors_free(file);
    tensor_unref(&t);
}

static void faults_leave_the_old_file(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor t;
    assert_ok(tensor_zero(&t, DTYPE_FLOAT32, SHAPE(300000), &err));
    NamedTensor items[] = { { "a", t }, { "b", t } };
    SafeMeta meta[] = { { "k", "v" } };
    size_t held = mem_bytes();
    for (int memory = 0; memory < 2; memory++) {
        int failures = 0;
        scratch_write(scratch_path("m"), "old", 3);
        for (long n = 0;; n++) {
            assert_true(n < 200);
            (memory ? mem_fail_after : file_fail_after)(n);
            bool ok = safetensors_save(scratch_path("m"), items, 2, meta, 1, 0666, &err);
            mem_fail_after(-1);
            file_fail_after(-1);
            assert_int_equal(mem_bytes(), held);
            assert_int_equal(scratch_count(), 1);
            size_t size;
            free(scratch_read(scratch_path("m"), &size));
            if (ok) {
                assert_true(size > 2 * 300000 * 4);
                break;
            }
            assert_true(size == 3 || size > 2 * 300000 * 4); /* the very last step fails after the new one is in its place */
            assert_int_equal(err.code, memory ? ERR_MEM : ERR_IO);
            failures++;
            scratch_write(scratch_path("m"), "old", 3);
        }
        assert_true(failures >= 4);
    }
    tensor_unref(&t);
}

static void memory_may_run_out_while_reading(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    size_t held = mem_bytes();
    for (long n = 0;; n++) {
        assert_true(n < 100);
        mem_fail_after(n);
        SafeTensors *file = safetensors_open(fixture_path("formats/written.safetensors"), &err);
        Tensor t = { 0 };
        bool ok = file && safetensors_get(file, "layer/kernel", DTYPE_FLOAT32, &t, &err);
        mem_fail_after(-1);
        tensor_unref(&t);
        safetensors_free(file);
        assert_int_equal(mem_bytes(), held);
        if (ok)
            break;
        assert_int_equal(err.code, ERR_MEM);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(reads_the_references_file),
        TEST(converts_every_type),
        TEST(the_check_file_made_by_hand),
        TEST(what_is_legal),
        TEST(what_is_refused),
        TEST(every_prefix_is_refused),
        TEST(every_flip_of_the_header),
        TEST(writes_what_the_reference_writes),
        TEST(metadata_is_sorted_and_escaped),
        TEST(what_cannot_be_written),
        TEST(round_trips),
        TEST(loading_holds_no_copy_of_the_file),
        TEST(faults_leave_the_old_file),
        TEST(memory_may_run_out_while_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
