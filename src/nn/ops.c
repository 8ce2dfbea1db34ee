// SPDX-License-Identifier: MIT
#include "nn/ops.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void ops_begin(Layer *layer, const Op *op)
{
    args_init(&layer->op_args, op->args, op->n_args);
}

bool ops_hand_down(Layer *layer, const char *from, const char *to, Err *err)
{
    int i = args_find(&layer->args, from), row = args_find(&layer->op_args, to);
    if (i < 0 || row < 0)
        return err_set(err, ERR_BUG, "%s: the op has no argument %s", layer->name, to);
    const ArgValue *value = &layer->args.v[i];
    Args *out = &layer->op_args;
    double numbers[ARG_INTS_MOST];
    if (!value->given)
        return true;
    switch (layer->args.specs[i].type) {
    case ARG_INT:
        return args_set_number(out, row, (double)value->u.i, layer->name, err);
    case ARG_FLOAT:
        return args_set_number(out, row, value->u.f, layer->name, err);
    case ARG_BOOL:
        return args_set_bool(out, row, value->u.b, layer->name, err);
    case ARG_CHOICE:
        return args_set_text(out, row, args_choice(&layer->args, from), layer->name, err);
    case ARG_TEXT:
        return args_set_text(out, row, value->u.text, layer->name, err);
    case ARG_FLOATS:
        return args_set_numbers(out, row, value->u.floats.v, value->u.floats.n, layer->name, err);
    case ARG_INTS:
        break;
    }
    for (int k = 0; k < value->u.ints.n; k++)
        numbers[k] = (double)value->u.ints.v[k];
    return args_set_numbers(out, row, numbers, value->u.ints.n, layer->name, err);
}

bool ops_set(Layer *layer, const Op *op, Err *err)
{
    ops_begin(layer, op);
    for (int i = 0; i < layer->args.n; i++) {
        const char *name = layer->args.specs[i].name;
        if (args_find(&layer->op_args, name) >= 0 && !ops_hand_down(layer, name, name, err))
            return false;
    }
    return true;
}

static void set_numbers(ArgValue *value, const int64_t *numbers, int n)
{
    value->given = true;
    value->u.ints.n = n;
    memcpy(value->u.ints.v, numbers, (size_t)n * sizeof *numbers);
}

Node *ops_reshape(Tape *tape, Node *x, const Shape *shape, Err *err)
{
    Args args;
    args_init(&args, op_reshape.args, op_reshape.n_args);
    set_numbers(&args.v[0], shape->d, shape->rank);
    Node *y = x ? tape_op(tape, &op_reshape, &x, 1, &args, err) : NULL;
    const Shape *from = x ? &x->value.shape : shape;
    if (y && from->rank > 1 && shape->rank > 1 && from->d[0] == shape->d[0] && from->d[1] == shape->d[1])
        y->mask = x->mask;
    return y;
}

Node *ops_broadcast(Tape *tape, Node *x, const Shape *shape, Err *err)
{
    Args args;
    args_init(&args, op_broadcast_to.args, op_broadcast_to.n_args);
    set_numbers(&args.v[0], shape->d, shape->rank);
    return x ? tape_op(tape, &op_broadcast_to, &x, 1, &args, err) : NULL;
}

Node *ops_transpose(Tape *tape, Node *x, const int64_t *order, Err *err)
{
    Args args;
    args_init(&args, op_transpose.args, op_transpose.n_args);
    if (!x)
        return NULL;
    set_numbers(&args.v[0], order, x->value.shape.rank);
    return tape_op(tape, &op_transpose, &x, 1, &args, err);
}

Node *ops_random(Layer *layer, Tape *tape, const Op *op, Node *x, Err *err)
{
    uint64_t seed = tape->seed;
    if (args_given(&layer->args, "seed"))
        tape->seed = (uint64_t)args_int(&layer->args, "seed");
    Node *y = tape_op(tape, op, &x, 1, &layer->op_args, err);
    tape->seed = seed;
    return y;
}

bool ops_want_images(const Layer *layer, const Shape *in, Err *err)
{
    char got[SHAPE_TEXT], remedy[LAYER_REMEDY];
    if (in->rank == 4)
        return true;
    int64_t side = in->rank == 2 ? (int64_t)(sqrt((double)in->d[1]) + 0.5) : 0;
    if (in->rank == 3)
        snprintf(remedy, sizeof remedy, "add nn.Reshape({%" PRId64 ", %" PRId64 ", 1}) before it", in->d[1], in->d[2]);
    else if (side > 1 && side * side == in->d[1])
        snprintf(remedy, sizeof remedy, "add nn.Reshape({%" PRId64 ", %" PRId64 ", 1}) before it", side, side);
    else
        snprintf(remedy, sizeof remedy, "nn.Reshape({height, width, channels}) before it can make them");
    return layer_refuse(layer, err, "wants images of shape (height, width, channels), got %s; %s", layer_shape_text(in, got), remedy);
}

bool ops_want_room(const Layer *layer, const Shape *in, const int64_t window[2], Err *err)
{
    for (int i = 0; i < 2; i++)
        if (window[i] > in->d[i + 1])
            return layer_refuse(layer, err, "has a window of %s %" PRId64 ", but its images have only %" PRId64
                                            "; give padding = \"same\", or use fewer layers that shrink them",
                                i ? "width" : "height", window[i], in->d[i + 1]);
    return true;
}

bool ops_edges(const Layer *layer, const char *name, int64_t edge[4], Err *err)
{
    int n;
    const int64_t *v = args_ints(&layer->args, name, &n);
    if (n != 1 && n != 2 && n != 4)
        return err_set(err, ERR_ARG, "%s: %s wants one number, {height, width} or {top, bottom, left, right}, got %d numbers", layer->name,
                       name, n);
    for (int i = 0; i < 4; i++)
        edge[i] = n == 4 ? v[i] : n == 2 ? v[i / 2] : v[0];
    return true;
}

int ops_last_axes(Layer *layer, const Shape *in, Err *err)
{
    int n;
    unsigned seen = 0;
    const int64_t *axis = args_ints(&layer->args, "axis", &n);
    for (int i = 0, at; i < n; i++) {
        if (!shape_axis(in, axis[i], &at, layer->name, err))
            return 0;
        seen |= 1u << at;
    }
    unsigned want = (1u << n) - 1;
    if (n < in->rank && seen == want << (in->rank - n))
        return n;
    layer_refuse(layer, err, "normalises the last axes, in a row: axis = -1, or {%d, %d}; nn.Permute can bring others there", in->rank - 2, in->rank - 1);
    return 0;
}
