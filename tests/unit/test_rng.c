// SPDX-License-Identifier: MIT
#include "check.h"

#include "base/rng.h"

/* The published vectors of Random123 for Philox 4x32-10. */
static void test_vectors(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } rows[] = {
        { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
          { 0xffffffff, 0xffffffff },
          { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
          { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint32_t out[4];
        rng_philox(out, rows[i].counter, rows[i].key);
        assert_memory_equal(out, rows[i].out, sizeof out);
    }
}

static void test_streams(void **state)
{
    (void)state;
    Rng a, b, c, d;
    rng_init(&a, 7, RNG_SHUFFLE, 3);
    rng_init(&b, 7, RNG_SHUFFLE, 3);
    rng_init(&c, 7, RNG_DROPOUT, 3);
    rng_init(&d, 7, RNG_SHUFFLE, (uint64_t)1 << 40 | 3);
    int same_purpose = 0, same_step = 0;
    for (uint32_t i = 0; i < 400; i++) {
        uint32_t word = rng_word(&a), block[4];
        assert_int_equal(word, rng_word(&b));
        rng_block(block, 7, RNG_SHUFFLE, 3, i / 4); /* any word, without those before it */
        assert_int_equal(word, block[i % 4]);
        same_purpose += word == rng_word(&c);
        same_step += word == rng_word(&d);
    }
    assert_true(same_purpose < 3 && same_step < 3);
    Rng saved = a; /* a copy is the saved state */
    assert_int_equal(rng_word(&a), rng_word(&saved));
}

static void test_numbers(void **state)
{
    (void)state;
    Rng rng;
    rng_init(&rng, 1, RNG_TEST, 0);
    enum { N = 100000 };
    double sum = 0, squares = 0, least = 1, most = 0;
    for (int i = 0; i < N; i++) {
        double u = rng_uniform(&rng);
        sum += u;
        least = u < least ? u : least;
        most = u > most ? u : most;
    }
    assert_true(least >= 0 && least < 1e-3 && most < 1 && most > 0.999);
    assert_near(sum / N, 0.5, 0.004); /* four deviations */
    sum = 0;
    for (int i = 0; i < N; i++) {
        double z = rng_normal(&rng);
        sum += z;
        squares += z * z;
    }
    assert_near(sum / N, 0, 0.013);
    assert_near(squares / N, 1, 0.018);
}

static void test_below(void **state)
{
    (void)state;
    Rng rng;
    rng_init(&rng, 2, RNG_TEST, 0);
    int counts[7] = { 0 };
    for (int i = 0; i < 70000; i++)
        counts[rng_below(&rng, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_true(counts[i] > 9600 && counts[i] < 10400);
    for (int i = 0; i < 50; i++)
        assert_int_equal(rng_below(&rng, 1), 0);
    uint64_t odd = ((uint64_t)1 << 63) + 1; /* nearly every second draw must be taken again */
    for (int i = 0; i < 50; i++)
        assert_true(rng_below(&rng, odd) < odd);
}

static void test_shuffle(void **state)
{
    (void)state;
    Rng rng;
    int64_t items[5], places[5][5] = { { 0 } };
    rng_init(&rng, 3, RNG_TEST, 0);
    rng_shuffle(&rng, items, 0);
    for (int round = 0; round < 10000; round++) {
        int seen = 0;
        for (int i = 0; i < 5; i++)
            items[i] = i;
        rng_shuffle(&rng, items, 5);
        for (int i = 0; i < 5; i++) {
            seen |= 1 << items[i];
            places[items[i]][i]++;
        }
        assert_int_equal(seen, 31);
    }
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++)
            assert_true(places[i][k] > 1800 && places[i][k] < 2200);
}

static void test_mix(void **state)
{
    (void)state;
    assert_true(rng_mix(1, 2) != rng_mix(2, 1));
    assert_true(rng_mix(0, 0) != rng_mix(0, 1));
    assert_true(rng_mix_text(1, "dense") == rng_mix_text(1, "dense"));
    assert_true(rng_mix_text(1, "dense") != rng_mix_text(1, "dense_1"));
    int flips = 0; /* every bit of the value reaches about half of the bits of the result */
    for (int bit = 0; bit < 64; bit++)
        flips += __builtin_popcountll(rng_mix(5, 77) ^ rng_mix(5, 77 ^ (uint64_t)1 << bit));
    assert_true(flips > 64 * 28 && flips < 64 * 36);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors), cmocka_unit_test(test_streams),
                                        cmocka_unit_test(test_numbers), cmocka_unit_test(test_below),
                                        cmocka_unit_test(test_shuffle), cmocka_unit_test(test_mix) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
