// SPDX-License-Identifier: MIT
/* With near = min(|e|, delta): near^2 / 2 + delta (|e| - near). */
#include "train/lossmath.h"

enum { DELTA };

static const ArgSpec specs[] = {
    { .name = "delta", .type = ARG_FLOAT, .fallback = "1.0", .most = 1e9, .open_least = true, .help = "errors beyond it count linearly" },
};

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    double delta = args->v[DELTA].u.f;
    Node *size = loss_unary(tape, &op_abs, loss_binary(tape, &op_subtract, prediction, target, err), err);
    Node *near = loss_binary(tape, &op_minimum, size, loss_constant(tape, delta, err), err);
    Node *square = loss_scale(tape, loss_unary(tape, &op_square, near, err), 0.5, 0, err);
    Node *line = loss_scale(tape, loss_binary(tape, &op_subtract, size, near, err), delta, 0, err);
    return loss_mean(tape, loss_binary(tape, &op_add, square, line, err), weight, err);
}

const Loss loss_huber = {
    .name = "huber",
    .doc = "huber(delta = 1.0): mean of e^2 / 2 where the error e is within delta, delta |e| - delta^2 / 2 beyond.\n"
           "For numbers to be predicted, with outliers. Source: Huber 1964.",
    .example = "local l = nn.losses.Huber{delta = 2}; assert(math.abs(l({{0}}, {{5}}):item() - 8) < 1e-5)",
    .args = specs,
    .n_args = sizeof specs / sizeof *specs,
    .target = TARGET_SAME,
    .apply = apply,
};
