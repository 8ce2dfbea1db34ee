// SPDX-License-Identifier: MIT
/* Scaled dot-product attention over several heads, forward and backward, without ever holding all scores: blocks of ATTEND_ROWS
 * queries against all keys live in the scratch memory of a worker, and are worked out again in backward. Split over the pool by
 * sample, head and (forward) block; sums are added in a fixed order. Cannot fail.
 * Source: Vaswani et al. 2017, equation 1; the recomputation is that of Dao et al. 2022. */
#ifndef TENSOR_KERN_ATTEND_H
#define TENSOR_KERN_ATTEND_H

#include "tensor/tensor.h"

#define ATTEND_ROWS 64

typedef struct Attend {
    int64_t B, H, T, S, D, V; /* samples, heads, queries, keys, size of a query or key, size of a value */
    const real *q, *k, *v;    /* [B, T, H, D], [B, S, H, D], [B, S, H, V] */
    real *y;                  /* [B, T, H, V] */
    real *lse;                /* [B, H, T]: the log of each row's sum of exponentials; kept for backward */
    const real *mask;         /* NULL, or a key counts where it is above 0.5; its last axis is S */
    int64_t mask_b, mask_h, mask_t; /* elements from one sample, head, query of the mask to the next; 0: the same for all */
    bool causal;              /* query i sees keys 0 … i */
    real scale;
    double rate;              /* share of weights dropped; 0: none */
    uint64_t seed, step;      /* of what is dropped */
    real *scratch;            /* pool_threads() times kern_attend_scratch(…) */
    /* backward only; those that are NULL are not wanted */
    const real *dy;
    real *dq, *dk, *dv;
    bool add_q, add_k, add_v;
} Attend;

/* Elements of scratch a worker needs. */
int64_t kern_attend_scratch(const Attend *attend, bool backward);

void kern_attend(const Attend *attend);
void kern_attend_back(const Attend *attend);

/* The weights themselves, p [B, H, T, S]: softmax of the masked scores. And dq, dk from the gradient of p; dp is overwritten. */
void kern_attend_weights(const Attend *attend, real *p);
void kern_attend_weights_back(const Attend *attend, const real *p, real *dp);

#endif
