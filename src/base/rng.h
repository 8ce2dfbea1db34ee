// SPDX-License-Identifier: MIT
/* Counter-based random numbers: the same (seed, purpose, step, index) gives the same number, in any thread and any order.
 * Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", Philox 4x32-10. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

/* What a number is for; part of the key, so that streams never overlap. Values stand in no file. */
typedef enum { RNG_INIT_WEIGHTS = 1, RNG_SHUFFLE, RNG_DROPOUT, RNG_DATA, RNG_SPLIT, RNG_USER, RNG_TEST, RNG_AUGMENT } RngPurpose;

/* One block: four words from counter [4] and key [2]. */
void rng_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* A stream. `step` selects one of 2^64 independent sequences of (seed, purpose). Copy it to save its state. */
typedef struct Rng {
    uint64_t seed, step;
    uint32_t purpose;
    uint32_t index; /* words drawn so far */
    uint32_t block[4];
} Rng;

void rng_init(Rng *rng, uint64_t seed, RngPurpose purpose, uint64_t step);
uint32_t rng_word(Rng *rng);
double rng_uniform(Rng *rng);               /* [0, 1), 24 bits */
double rng_normal(Rng *rng);                /* mean 0, deviation 1; Box and Muller */
uint64_t rng_below(Rng *rng, uint64_t most); /* 0 … most-1 without bias; most >= 1 */
void rng_shuffle(Rng *rng, int64_t *items, int64_t n); /* Fisher and Yates */

/* Words 4*block … 4*block+3 of a stream, for loops that are split over threads. */
void rng_block(uint32_t out[4], uint64_t seed, RngPurpose purpose, uint64_t step, uint32_t block);

/* A name or number mixed into a seed (a layer's own stream). */
uint64_t rng_mix(uint64_t seed, uint64_t value);
uint64_t rng_mix_text(uint64_t seed, const char *text);

#endif
