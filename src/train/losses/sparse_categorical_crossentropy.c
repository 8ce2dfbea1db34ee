// SPDX-License-Identifier: MIT
/* Source: keras/src/losses/losses.py, keras/src/backend/tensorflow/nn.py. From probabilities that are no softmax's: clipped,
 * and their logarithms taken as logits. Rows of the ignored class weigh nothing, the others total / valid, so that the mean is over
 * them alone (keras/src/losses/loss.py, apply_mask). */
#include "train/lossmath.h"

enum { FROM_LOGITS, IGNORE_CLASS };

static const ArgSpec specs[] = {
    { .name = "from_logits", .type = ARG_BOOL, .fallback = "false", .help = "predictions are logits, not probabilities" },
    { .name = "ignore_class", .type = ARG_INT, .fallback = "nil", .least = -1e9, .most = 1e9, .help = "targets of this class do not count" },
};

/* Labels without the ignored class, and weights that leave its rows out. */
static bool leave_out(Tape *tape, int64_t ignored, int64_t rows, Node **target, Node **weight, Err *err)
{
    int32_t *labels = arena_alloc(&tape->arena, (size_t)rows * sizeof *labels, err);
    real *weights = labels ? arena_alloc(&tape->arena, (size_t)rows * sizeof *weights, err) : NULL;
    int64_t valid = 0, n = *weight ? shape_count(&(*weight)->value.shape) : 0;
    if (!weights)
        return false;
    for (int64_t i = 0; i < rows; i++) {
        bool counts = tensor_int(&(*target)->value)[i] != ignored;
        labels[i] = counts ? tensor_int(&(*target)->value)[i] : 0;
        weights[i] = counts ? (n ? tensor_real(&(*weight)->value)[i / (rows / n)] : 1) : 0;
        valid += counts;
    }
    for (int64_t i = 0; valid && i < rows; i++)
        weights[i] *= (real)rows / (real)valid;
    Tensor y = tensor_borrow(DTYPE_INT32, SHAPE(rows), labels), w = tensor_borrow(DTYPE_FLOAT32, SHAPE(rows), weights);
    return (*target = tape_input(tape, &y, err)) != NULL && (*weight = tape_input(tape, &w, err)) != NULL;
}

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    const Shape *shape = &prediction->value.shape;
    int64_t rows = shape_count(shape) / (shape->rank && shape->d[shape->rank - 1] ? shape->d[shape->rank - 1] : 1);
    Node *logits = args->v[FROM_LOGITS].u.b ? prediction : loss_logits(prediction, &op_softmax);
    bool leaves_out = args->v[IGNORE_CLASS].given && tape->mode != TAPE_INFER && shape_count(&target->value.shape) == rows;
    if (leaves_out && !leave_out(tape, args->v[IGNORE_CLASS].u.i, rows, &target, &weight, err))
        return NULL;
    if (!logits)
        logits = loss_unary(tape, &op_log, loss_clip(tape, prediction, err), err);
    return loss_fused(tape, &op_softmax_cross_entropy, logits, target, weight, rows, err);
}

const Loss loss_sparse_categorical_crossentropy = {
    .name = "sparse_categorical_crossentropy",
    .doc = "sparse_categorical_crossentropy(from_logits = false, ignore_class = nil): mean of -log p[label].\n"
           "For one class of several (softmax); targets are class numbers from 0.",
    .example = "model:compile{optimizer = 'adam', loss = 'sparse_categorical_crossentropy', metrics = {'accuracy'}}",
    .args = specs,
    .n_args = sizeof specs / sizeof specs[0],
    .target = TARGET_LABELS,
    .classes = true,
    .apply = apply,
};
