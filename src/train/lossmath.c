// SPDX-License-Identifier: MIT
#include "train/lossmath.h"

static const real least = (real)LOSS_EPSILON, most = (real)(1 - LOSS_EPSILON);

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

Node *loss_clip(Tape *tape, Node *probabilities, Err *err)
{
    const Shape one = { .rank = 0 };
    Tensor low = tensor_borrow(DTYPE_FLOAT32, one, (void *)(uintptr_t)&least);
    Tensor high = tensor_borrow(DTYPE_FLOAT32, one, (void *)(uintptr_t)&most);
    Node *a = tape_input(tape, &low, err), *b = tape_input(tape, &high, err);
    return loss_binary(tape, &op_minimum, loss_binary(tape, &op_maximum, probabilities, a, err), b, err);
}

Node *loss_mean(Tape *tape, Node *values, Node *weight, Err *err)
{
    if (values && weight && values->value.shape.rank > 1) {
        Args args;
        args_init(&args, op_reshape.args, op_reshape.n_args);
        double sizes[SHAPE_MOST] = { (double)values->value.shape.d[0] };
        for (int i = 1; i < values->value.shape.rank; i++)
            sizes[i] = 1;
        if (!args_set_numbers(&args, 0, sizes, values->value.shape.rank, "reshape", err))
            return NULL;
        weight = tape_op(tape, &op_reshape, &weight, 1, &args, err);
        if (!weight)
            return NULL;
    }
    if (weight)
        values = loss_binary(tape, &op_multiply, values, weight, err);
    return loss_unary(tape, &op_mean, values, err);
}

Node *loss_fused(Tape *tape, const Op *op, Node *x, Node *target, Node *weight, Err *err)
{
    Node *in[3] = { x, target, weight };
    return x && target ? tape_op(tape, op, in, weight ? 3 : 2, NULL, err) : NULL;
}
