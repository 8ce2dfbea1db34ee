// SPDX-License-Identifier: MIT
#include "base/rng.h"

#include <math.h>

void rng_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(b >> 32) ^ c1 ^ k0, n2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* Two rounds of splitmix64's finaliser: every bit of value reaches every bit of the result. */
uint64_t rng_mix(uint64_t seed, uint64_t value)
{
    uint64_t z = seed ^ (value + 0x9E3779B97F4A7C15u + (seed << 6) + (seed >> 2));
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t rng_mix_text(uint64_t seed, const char *text)
{
    uint64_t h = 0xCBF29CE484222325u; /* FNV-1a */
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001B3u;
    return rng_mix(seed, h);
}

void rng_block(uint32_t out[4], uint64_t seed, RngPurpose purpose, uint64_t step, uint32_t block)
{
    uint32_t counter[4] = { block, (uint32_t)purpose, (uint32_t)step, (uint32_t)(step >> 32) };
    uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    rng_philox(out, counter, key);
}

void rng_init(Rng *rng, uint64_t seed, RngPurpose purpose, uint64_t step)
{
    *rng = (Rng){ .seed = seed, .step = step, .purpose = (uint32_t)purpose };
}

uint32_t rng_word(Rng *rng)
{
    if (rng->index % 4 == 0)
        rng_block(rng->block, rng->seed, (RngPurpose)rng->purpose, rng->step, rng->index / 4);
    return rng->block[rng->index++ % 4];
}

double rng_uniform(Rng *rng)
{
    return (rng_word(rng) >> 8) * 0x1p-24;
}

double rng_normal(Rng *rng)
{
    double u = ((rng_word(rng) >> 8) + 1) * 0x1p-24, v = rng_uniform(rng);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

uint64_t rng_below(Rng *rng, uint64_t most)
{
    uint64_t limit = most * (UINT64_MAX / most), word;
    do {
        word = rng_word(rng);
        word = word << 32 | rng_word(rng);
    } while (word >= limit);
    return word % most;
}

void rng_shuffle(Rng *rng, int64_t *items, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)rng_below(rng, (uint64_t)i + 1), item = items[i];
        items[i] = items[j];
        items[j] = item;
    }
}
