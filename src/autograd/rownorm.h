// SPDX-License-Identifier: MIT
/* What layer_norm and rms_norm have in common: x as rows over its last axes, a scale, perhaps an offset; the mean and the
 * deviation of rows are kept for backward. */
#ifndef AUTOGRAD_ROWNORM_H
#define AUTOGRAD_ROWNORM_H

#include "autograd/op.h"

#define ROWNORM_ARGS 2
extern const ArgSpec rownorm_layer_args[ROWNORM_ARGS], rownorm_rms_args[ROWNORM_ARGS]; /* epsilon, axes; they differ in epsilon */

/* Inputs x, gamma, beta (the last two may be absent) of the shape of x's last axes. Fails: ERR_SHAPE. */
MUST_USE bool rownorm_infer(OpCall *call, Err *err);
void rownorm_forward(OpCall *call, bool centred);
void rownorm_backward(OpCall *call, bool centred);

#endif
