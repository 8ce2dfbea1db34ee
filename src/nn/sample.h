// SPDX-License-Identifier: MIT
/* Choosing the next token from the scores that a language model gives. Pure functions, any thread. */
#ifndef NN_SAMPLE_H
#define NN_SAMPLE_H

#include "tensor/tensor.h"

typedef struct SampleOptions {
    double temperature; /* scores are divided by it; 0: the highest score, no chance */
    int64_t top_k;      /* only the k highest; 0: all */
    double top_p;       /* only the highest that together have this probability (at least one); 1: all */
    uint64_t seed, step; /* of the draw: row i of (seed, step) always gives the same */
} SampleOptions;

/* logits [V] or [B, V] float32 -> ids [1] or [B]. Limits apply in the order temperature, top_k, top_p; of equal scores the smaller
 * id comes first. Fails: ERR_SHAPE; ERR_NUMERIC for NaN, or a row without a finite score; ERR_MEM.
 * Source: Holtzman et al. 2020 (top_p), Fan et al. 2018 (top_k). */
MUST_USE bool sample_logits(const Tensor *logits, const SampleOptions *options, int32_t *ids, Err *err);

/* The k highest of each row: values, indices [B, k] (or [k]) with the highest first; of equal ones the smaller index. Fails: ERR_ARG for a
 * k outside 1 … V, ERR_SHAPE, ERR_MEM. */
MUST_USE bool sample_top_k(const Tensor *x, int64_t k, Tensor *values, Tensor *indices, Err *err);

#endif
