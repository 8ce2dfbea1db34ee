// SPDX-License-Identifier: MIT
#include "check.h"

#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"
#include "formats/packed.h"
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
    packed_set_most(0);
    mem_fail_after(-1);
    scratch_end();
    return 0;
}

/* gzip (bits 31) or raw DEFLATE (bits -15). */
static size_t deflated(int bits, const void *bytes, size_t n, unsigned char *out, size_t room)
{
    z_stream z = { 0 };
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static size_t xzed(const void *bytes, size_t n, unsigned char *out, size_t room)
{
    size_t used = 0;
    assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, bytes, n, out, &used, room), LZMA_OK);
    return used;
}

static void unpacks_members(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    unsigned char packed[1000];
    size_t n = deflated(31, "hello ", 6, packed, sizeof packed);
    n += deflated(31, "world", 5, packed + n, sizeof packed - n);
    memset(packed + n, 0, 100);
    Buf out = BUF_INIT;
    assert_ok(packed_unpack(packed, n + 100, "x", &out, &err));
    assert_string_equal(buf_text(&out), "hello world");
    packed[n + 50] = 1;
    buf_reset(&out);
    assert_err(packed_unpack(packed, n + 100, "x", &out, &err), ERR_DATA, "damaged gzip");
    buf_reset(&out);
    n = xzed("some text", 9, packed, sizeof packed);
    scratch_write(scratch_path("named.txt"), packed, n);
    assert_ok(packed_read(scratch_path("named.txt"), &out, &err));
    assert_string_equal(buf_text(&out), "some text");
    buf_reset(&out);
    assert_ok(packed_unpack("", 0, "empty", &out, &err));
    assert_int_equal(out.size, 0);
    assert_ok(packed_unpack("plain", 5, "p", &out, &err));
    assert_string_equal(buf_text(&out), "plain");
    buf_reset(&out);
    assert_err(packed_unpack("\x28\xB5\x2F\xFD....", 8, "z", &out, &err), ERR_DATA, "unzstd");
    buf_fini(&out);
}

/* Every cut is refused; every flipped bit is refused or leaves the content as it was (a flip in the time stamp). */
static void damage_is_seen(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    char text[500];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * i % 251);
    unsigned char packed[1000];
    for (int xz = 0; xz < 2; xz++) {
        size_t n = xz ? xzed(text, sizeof text, packed, sizeof packed) : deflated(31, text, sizeof text, packed, sizeof packed);
        Buf out = BUF_INIT;
        for (size_t k = 6; k < n; k++) {
            buf_reset(&out);
            assert_err(packed_unpack(packed, k, "cut", &out, &err), ERR_DATA, "cut");
        }
        for (size_t bit = 8 * 6; bit < 8 * n; bit++) {
            buf_reset(&out);
            packed[bit / 8] ^= (unsigned char)(1 << bit % 8);
            if (packed_unpack(packed, n, "flipped", &out, &err)) {
                assert_int_equal(out.size, sizeof text);
                assert_memory_equal(out.data, text, sizeof text);
            }
            packed[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        buf_fini(&out);
    }
}

static void bombs_are_stopped(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    enum { N = 32 << 20 };
    unsigned char *zeros = calloc(1, N), *packed = malloc(1 << 16);
    size_t n = xzed(zeros, N, packed, 1 << 16); /* about 7000 : 1 */
    assert_true(n * 1032 + (1 << 20) < N);
    Buf out = BUF_INIT;
    size_t before = mem_peak();
    assert_err(packed_unpack(packed, n, "bomb.xz", &out, &err), ERR_DATA, "1032 times");
    assert_true(mem_peak() < before + 64 * (1 << 20));
    buf_reset(&out);
    n = deflated(31, zeros, N, packed, 1 << 16); /* about 1030 : 1, legal: only the user's limit stops it */
    packed_set_most(N - 1);
    assert_err(packed_unpack(packed, n, "bomb.gz", &out, &err), ERR_DATA, "limit of 33554431");
    buf_reset(&out);
    packed_set_most(N);
    assert_ok(packed_unpack(packed, n, "bomb.gz", &out, &err));
    assert_int_equal(out.size, N);
    buf_fini(&out);
    free(zeros);
    free(packed);
}

static void members_of_archives(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    unsigned char packed[300];
    char out[100], text[64];
    memset(text, 'x', sizeof text);
    size_t n = deflated(-15, text, sizeof text, packed, sizeof packed);
    assert_ok(packed_inflate(packed, n, out, 64, "m", &err));
    assert_memory_equal(out, text, 64);
    assert_err(packed_inflate(packed, n, out, 63, "m", &err), ERR_DATA, "63 bytes were promised");
    assert_err(packed_inflate(packed, n, out, 65, "m", &err), ERR_DATA, "65 bytes were promised");
    assert_err(packed_inflate(packed, n - 1, out, 64, "m", &err), ERR_DATA, "damaged");
    packed[n] = 0;
    assert_err(packed_inflate(packed, n + 1, out, 64, "m", &err), ERR_DATA, "damaged");
    assert_err(packed_inflate(packed, n, out, (size_t)1 << 40, "m", &err), ERR_DATA, "cannot do");
    assert_err(packed_inflate("", 0, NULL, 0, "m", &err), ERR_DATA, "damaged");
    assert_int_equal(packed_crc(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(packed_crc(packed_crc(0, "1234", 4), "56789", 5), 0xCBF43926);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    unsigned char packed[300];
    for (int xz = 0; xz < 2; xz++) {
        size_t size = xz ? xzed("abc", 3, packed, sizeof packed) : deflated(31, "abc", 3, packed, sizeof packed);
        size_t held = mem_bytes();
        for (long n = 0;; n++) {
            assert_true(n < 100);
            Buf out = BUF_INIT;
            mem_fail_after(n);
            bool ok = packed_unpack(packed, size, "m", &out, &err);
            mem_fail_after(-1);
            buf_fini(&out);
            assert_int_equal(mem_bytes(), held);
            if (ok)
                break;
            assert_int_equal(err.code, ERR_MEM);
        }
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(unpacks_members), TEST(damage_is_seen), TEST(bombs_are_stopped), TEST(members_of_archives), TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
