// SPDX-License-Identifier: MIT
/* What a recurrent layer computes at one step: the product of the state with weights that stay the same for all steps, and the
 * arithmetic of the gates. On the calling thread, for use inside tiles of the batch.
 * U units; gates lie one behind the other in a row, in Keras's order: LSTM i f c o, GRU z r h. `act` is the activation of the
 * candidate and the result, `rec` that of the gates. Gradients use only activated values. */
#ifndef TENSOR_KERN_RNN_H
#define TENSOR_KERN_RNN_H

#include "tensor/kern_act.h"

/* Weights [K, N] (or, with trans, the transpose of what stands as [N, K]) that many products use: w with rows ldw apart.
 * `packed` holds kern_rnn_packed(K, N) numbers, or is NULL: then BLAS reads w as it is, which is best for few rows. */
typedef struct RnnWeights {
    const real *w;
    int64_t ldw, K, N;
    bool trans;
    real *packed;
} RnnWeights;

int64_t kern_rnn_packed(int64_t K, int64_t N);
void kern_rnn_pack(const RnnWeights *weights); /* over the pool */

/* y [rows, N] (+)= a [rows, K] * weights; rows of y, a are ldy, lda apart. */
void kern_rnn_product(real *y, int64_t ldy, const real *a, int64_t lda, const RnnWeights *weights, int64_t rows, bool add);

/* z [4 U]: sums of products, then the activated gates; c_prev [U] -> c, h [U]. bias [4 U] or NULL.
 * Source: Hochreiter and Schmidhuber 1997; Gers et al. 2000: c = f c_prev + i g, h = o act(c). */
void kern_lstm(real *h, real *c, real *z, const real *bias, const real *c_prev, int64_t U, KernAct act, KernAct rec);

/* dz [4 U] of the sums and dc [U], which becomes that of c_prev, from dh [U], the activated z, c and c_prev. spare [2 U]. */
void kern_lstm_back(real *dz, real *dc, const real *dh, const real *z, const real *c, const real *c_prev, real *spare, int64_t U,
                    KernAct act, KernAct rec);

/* GRU: h = z h_prev + (1 - z) g. zr [2 U] holds the activated gates z, r; g [U] the activated candidate. */
void kern_gru_mix(real *h, const real *z, const real *g, const real *h_prev, int64_t U);

/* dz, dg [U] by the activated values (not yet by the sums) from dh, which becomes the part that goes to h_prev directly. */
void kern_gru_unmix(real *dz, real *dg, real *dh, const real *z, const real *g, const real *h_prev, int64_t U);

void kern_mul(real *y, const real *a, const real *b, int64_t n);     /* y = a b; y may be a or b */
void kern_mul_add(real *y, const real *a, const real *b, int64_t n); /* y += a b */

#endif
