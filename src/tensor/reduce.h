// SPDX-License-Identifier: MIT
/* Sums and maxima over any set of axes. Results do not depend on the number of threads: tiles come from the sizes alone and
 * their partial results are combined in order. Any thread; cannot fail. */
#ifndef TENSOR_REDUCE_H
#define TENSOR_REDUCE_H

#include "tensor/tensor.h"

/* The axes merged into groups that are kept and reduced in turn. */
typedef struct Reduce {
    int n;                  /* groups; never two of a kind in a row */
    int64_t d[SHAPE_MOST];
    bool reduced[SHAPE_MOST];
} Reduce;

/* axes: bit i stands for axis i. */
void reduce_plan(Reduce *plan, const Shape *shape, unsigned axes);

/* For the gradient of broadcasting: which axes of `from` a tensor of shape `to` was repeated along (`to` broadcasts to it). */
unsigned reduce_axes_between(const Shape *from, const Shape *to);

/* Bytes of scratch that reduce_sum and reduce_max want. */
size_t reduce_scratch(const Reduce *plan);

/* y [kept] (+)= factor * the sum of x over the reduced axes; floats are summed in blocks, blocks in order. */
void reduce_sum(real *y, const real *x, const Reduce *plan, real factor, bool add, void *scratch);

/* y [kept] = the largest of x over the reduced axes, none of which may have size 0; NaN where there is one among them. */
void reduce_max(real *y, const real *x, const Reduce *plan, void *scratch);

#endif
