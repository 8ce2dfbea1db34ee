// SPDX-License-Identifier: MIT
/* Batch normalisation over the rows of x [N, C]: each channel by its own mean and variance. Sums run over blocks of rows in
 * float, over blocks in double; tiles are combined in order (Chan et al. 1979), so that the bits do not depend on threads.
 * Source: Ioffe and Szegedy 2015, algorithm 1; the variance is biased (divided by N) everywhere, as in Keras. */
#ifndef TENSOR_KERN_NORM_H
#define TENSOR_KERN_NORM_H

#include "tensor/kern.h"

size_t kern_norm_scratch(int64_t N, int64_t C); /* bytes that the functions below need */

/* mean [C], variance [C] of x [N, C]; 0 and 0 for N = 0. */
void kern_norm_moments(real *mean, real *variance, const real *x, int64_t N, int64_t C, void *scratch);

/* y = (x - mean) rstd gamma + beta, all [C]; gamma and beta may be NULL (1 and 0). */
void kern_norm_apply(real *y, const real *x, const real *mean, const real *rstd, const real *gamma, const real *beta, int64_t N,
                     int64_t C, void *scratch);

/* dbeta [C] = sum of dy, dgamma [C] = sum of dy (x - mean) rstd. */
void kern_norm_sums(real *dbeta, real *dgamma, const real *dy, const real *x, const real *mean, const real *rstd, int64_t N,
                    int64_t C, void *scratch);

/* dx (+)= gamma rstd (dy - dbeta / N - (x - mean) rstd dgamma / N); with dbeta NULL (mean and variance are constants):
 * gamma rstd dy. */
void kern_norm_back(real *dx, bool add, const real *dy, const real *x, const real *mean, const real *rstd, const real *gamma,
                    const real *dbeta, const real *dgamma, int64_t N, int64_t C, void *scratch);

#endif
