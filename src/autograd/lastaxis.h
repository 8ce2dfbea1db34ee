// SPDX-License-Identifier: MIT
/* For ops that work along one axis with kernels that want it last: rows are used in place where the axis is last already, else
 * they are turned into scratch memory and back. A LastAxis lives within one forward or backward. */
#ifndef AUTOGRAD_LASTAXIS_H
#define AUTOGRAD_LASTAXIS_H

#include "autograd/op.h"

typedef struct LastAxis {
    int64_t outer, C, inner; /* x [outer, C, inner] */
    int64_t N;               /* rows: outer * inner */
    real *scratch;           /* three buffers of outer * C * inner, where inner > 1 */
} LastAxis;

extern const ArgSpec lastaxis_args[1]; /* axis = -1 */

/* Output of the input's type and shape; scratch where the axis is not the last. Fails: ERR_SHAPE, ERR_ARG. */
MUST_USE bool lastaxis_infer(OpCall *call, Err *err);

/* Set up and turn `from` into buffer `which`; lastaxis_in turns another one. Returns rows [N, C]. */
const real *lastaxis_open(LastAxis *view, const OpCall *call, const real *from, int which);
const real *lastaxis_in(const LastAxis *view, const real *from, int which);

/* Where rows are to be written for `to`: itself, or buffer `which`. lastaxis_close turns them back, storing or adding. */
real *lastaxis_out(const LastAxis *view, real *to, int which);
void lastaxis_close(const LastAxis *view, real *to, const real *rows, bool add);

#endif
