// SPDX-License-Identifier: MIT
/* Normalisation within rows: each row of x [N, C] by its own mean and variance, or by its root mean square. Rows are a tile's own
 * and sums over rows are added in the order of the tiles: the same bits for any number of threads. Cannot fail. */
#ifndef TENSOR_KERN_ROWNORM_H
#define TENSOR_KERN_ROWNORM_H

#include "tensor/kern.h"

typedef struct RowNorm {
    int64_t N, C;
    bool centred; /* by mean and variance; false: the mean is taken as 0 */
    double epsilon; /* added to the variance */
} RowNorm;

/* y = (x - mean) rstd gamma + beta; gamma, beta [C] may be NULL. mean, rstd [N] are written; both may be NULL. */
void kern_rownorm(const RowNorm *norm, real *y, real *mean, real *rstd, const real *x, const real *gamma, const real *beta);

/* With g = dy gamma and z = (x - mean) rstd:  dx (+)= rstd (g - mean of g - z mean of g z), by rows; without the mean of g where
 * it is not centred. dx may be NULL. dgamma [C] = sum of dy z, dbeta [C] = sum of dy, overwritten; both may be NULL. */
size_t kern_rownorm_scratch(const RowNorm *norm); /* bytes, for dgamma and dbeta */
void kern_rownorm_back(const RowNorm *norm, real *dx, bool add, real *dgamma, real *dbeta, const real *dy, const real *x,
                       const real *mean, const real *rstd, const real *gamma, void *scratch);

#endif
