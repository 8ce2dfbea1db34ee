// SPDX-License-Identifier: MIT
/* What regularisers are composed of. */
#ifndef NN_PENALTY_H
#define NN_PENALTY_H

#include "nn/ops.h"
#include "nn/rule.h"

/* factor times the sum over all elements of op(x). */
static inline Node *penalty_sum(Tape *tape, const Op *op, Node *x, double factor, Err *err)
{
    Args args;
    Node *each = tape_op(tape, op, &x, 1, NULL, err), *sum = each ? tape_op(tape, &op_sum, &each, 1, NULL, err) : NULL;
    args_init(&args, op_scale.args, op_scale.n_args);
    if (!sum || !args_set_number(&args, 0, factor, "scale", err))
        return NULL;
    return tape_op(tape, &op_scale, &sum, 1, &args, err);
}

#endif
