// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

Node *loss_logits(Node *prediction, const Op *op)
{
    const OpCall *call = prediction->call;
    if (!call || call->op != op)
        return NULL;
    for (int i = 0; i < op->n_args; i++) {
        int64_t axis = call->args->v[i].u.i, rank = call->in[0].shape.rank;
        if (op->args[i].type == ARG_INT && axis != -1 && axis != rank - 1)
            return NULL;
    }
    return prediction->in[0];
}

Node *loss_unary(Tape *tape, const Op *op, Node *x, Err *err)
{
    return x ? tape_op(tape, op, &x, 1, NULL, err) : NULL;
}

Node *loss_binary(Tape *tape, const Op *op, Node *a, Node *b, Err *err)
{
    Node *in[2] = { a, b };
    return a && b ? tape_op(tape, op, in, 2, NULL, err) : NULL;
}

Node *loss_scale(Tape *tape, Node *x, double scale, double offset, Err *err)
{
    Args args;
    args_init(&args, op_scale.args, op_scale.n_args);
    if (!x || !args_set_number(&args, 0, scale, "scale", err) || !args_set_number(&args, 1, offset, "scale", err))
        return NULL;
    return tape_op(tape, &op_scale, &x, 1, &args, err);
}

Node *loss_constant(Tape *tape, double value, Err *err)
{
    real *number = arena_alloc(&tape->arena, sizeof *number, err);
    if (!number)
        return NULL;
    *number = (real)value;
    Tensor tensor = tensor_borrow(DTYPE_FLOAT32, (Shape){ .rank = 0 }, number);
    return tape_input(tape, &tensor, err);
}

Node *loss_clip_to(Tape *tape, Node *x, double low, double high, Err *err)
{
    Node *a = loss_constant(tape, low, err), *b = loss_constant(tape, high, err);
    return loss_binary(tape, &op_minimum, loss_binary(tape, &op_maximum, x, a, err), b, err);
}

Node *loss_clip(Tape *tape, Node *probabilities, Err *err)
{
    return loss_clip_to(tape, probabilities, LOSS_EPSILON, 1 - LOSS_EPSILON, err);
}

Node *loss_power(Tape *tape, Node *x, double exponent, Err *err)
{
    Args args;
    args_init(&args, op_power.args, op_power.n_args);
    if (!x || !args_set_number(&args, 0, exponent, "power", err))
        return NULL;
    return tape_op(tape, &op_power, &x, 1, &args, err);
}

Node *loss_over_last(Tape *tape, const Op *op, Node *x, bool keep, Err *err)
{
    Args args;
    args_init(&args, op->args, op->n_args);
    if (!x || !args_set_number(&args, args_find(&args, "axis"), -1, op->name, err) ||
        !args_set_bool(&args, args_find(&args, "keepdims"), keep, op->name, err))
        return NULL;
    return tape_op(tape, op, &x, 1, &args, err);
}

Node *loss_sum_over(Tape *tape, Node *x, const ArgValue *axes, Err *err)
{
    Args args;
    args_init(&args, op_sum.args, op_sum.n_args);
    args.v[args_find(&args, "axis")] = *axes;
    return x ? tape_op(tape, &op_sum, &x, 1, &args, err) : NULL;
}

Node *loss_unit(Tape *tape, Node *x, Err *err)
{
    Node *squares = x ? loss_over_last(tape, &op_sum, loss_unary(tape, &op_square, x, err), true, err) : NULL;
    Node *least = loss_constant(tape, LOSS_EPSILON * LOSS_EPSILON, err);
    return loss_binary(tape, &op_divide, x, loss_unary(tape, &op_sqrt, loss_binary(tape, &op_maximum, squares, least, err), err), err);
}

Node *loss_signs(Tape *tape, Node *target, Err *err)
{
    bool binary = tape->mode != TAPE_INFER;
    for (int64_t i = 0, n = tensor_count(&target->value); binary && i < n; i++)
        binary = tensor_real(&target->value)[i] == 0 || tensor_real(&target->value)[i] == 1;
    return binary ? loss_scale(tape, target, 2, -1, err) : target;
}

/* ---- weights ---- */

/* [B, T] beside values [B, T, C] as [B, T, 1]. */
static Node *align(Tape *tape, Node *weight, int rank, Err *err)
{
    Args args;
    double sizes[SHAPE_MOST];
    const Shape *shape = &weight->value.shape;
    args_init(&args, op_reshape.args, op_reshape.n_args);
    for (int i = 0; i < rank; i++)
        sizes[i] = i < shape->rank ? (double)shape->d[i] : 1;
    return args_set_numbers(&args, 0, sizes, rank, "reshape", err) ? tape_op(tape, &op_reshape, &weight, 1, &args, err) : NULL;
}

Node *loss_mean(Tape *tape, Node *values, Node *weight, Err *err)
{
    if (!values)
        return NULL;
    if (weight && weight->value.shape.rank > values->value.shape.rank)
        weight = loss_unary(tape, &op_mean, weight, err);
    else if (weight && weight->value.shape.rank < values->value.shape.rank)
        weight = align(tape, weight, values->value.shape.rank, err);
    else if (!weight)
        return loss_unary(tape, &op_mean, values, err);
    return loss_unary(tape, &op_mean, loss_binary(tape, &op_multiply, values, weight, err), err);
}

static Node *repeat(Tape *tape, Node *weight, int64_t rows, Err *err)
{
    int64_t n = shape_count(&weight->value.shape);
    if (tape->mode == TAPE_INFER || n == rows || n < 1 || rows % n)
        return weight;
    real *more = arena_alloc(&tape->arena, (size_t)rows * sizeof *more, err);
    if (!more)
        return NULL;
    for (int64_t i = 0; i < rows; i++)
        more[i] = tensor_real(&weight->value)[i / (rows / n)];
    Tensor tensor = tensor_borrow(DTYPE_FLOAT32, SHAPE(rows), more);
    return tape_input(tape, &tensor, err);
}

Node *loss_fused(Tape *tape, const Op *op, Node *x, Node *target, Node *weight, int64_t rows, Err *err)
{
    Node *in[3] = { x, target, weight };
    if (!x || !target || (weight && !(in[2] = repeat(tape, weight, rows, err))))
        return NULL;
    return tape_op(tape, op, in, weight ? 3 : 2, NULL, err);
}
