// SPDX-License-Identifier: MIT
/* keras/src/regularizers/regularizers.py, OrthogonalRegularizer: the mean of |cosine| over the pairs of rows (or columns). */
#include <math.h>

#include "nn/penalty.h"

static const char *const modes[] = { "rows", "columns", NULL };

static const ArgSpec args[] = {
    { .name = "factor", .type = ARG_FLOAT, .fallback = "0.01", .least = 0, .most = 1e9, .help = "factor of the mean" },
    { .name = "mode", .type = ARG_CHOICE, .fallback = "rows", .choices = modes, .help = "what shall be orthogonal" },
};

static Node *transposed(Tape *tape, Node *x, Err *err)
{
    return tape_op(tape, &op_transpose, &x, 1, NULL, err);
}

/* The rows x [n, d], of length 1: the sum of |x xT| without its diagonal, half of it, over n (n - 1) / 2 pairs. The diagonal is the
 * sum of squares, so what is left is sum |x xT| - sum x². */
static Node *penalty(const double *v, Tape *tape, Node *x, Err *err)
{
    if (x->value.shape.rank != 2) {
        err_set(err, ERR_SHAPE, "the regulariser orthogonal wants a matrix, got a weight of %d axes; use it for Dense kernels and embeddings", x->value.shape.rank);
        return NULL;
    }
    if (v[1] != 0 && !(x = transposed(tape, x, err)))
        return NULL;
    double n = (double)x->value.shape.d[0], scale = n > 1 ? v[0] / (n * (n - 1)) : 0;
    Node *rows = tape_op(tape, &op_l2_normalize, &x, 1, NULL, err);
    Node *pair[2] = { rows, rows ? transposed(tape, rows, err) : NULL };
    Node *cosines = pair[1] ? tape_op(tape, &op_matmul, pair, 2, NULL, err) : NULL;
    Node *both[2] = { cosines ? penalty_sum(tape, &op_abs, cosines, scale, err) : NULL, rows ? penalty_sum(tape, &op_square, rows, scale, err) : NULL };
    return both[0] && both[1] ? tape_op(tape, &op_subtract, both, 2, NULL, err) : NULL;
}

const Regularizer regularizer_orthogonal = {
    .name = "orthogonal",
    .doc = "orthogonal(factor = 0.01, mode = \"rows\"): factor times the mean of |cosine| between the rows (or \"columns\") of a matrix is added\n"
           "to the loss.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .penalty = penalty,
};
