// SPDX-License-Identifier: MIT
#include "nn/line.h"

#include <inttypes.h>
#include <string.h>

bool line_want(const Layer *layer, const Shape *in, Err *err)
{
    char got[SHAPE_TEXT];
    if (in->rank == 3)
        return true;
    if (in->rank == 2)
        return layer_refuse(layer, err, "wants sequences of shape (time, features), got %s; add nn.Reshape({%" PRId64 ", 1}) before it",
                            layer_shape_text(in, got), in->d[1]);
    return layer_refuse(layer, err, "wants sequences of shape (time, features), got %s; nn.Reshape({time, features}) can make them",
                        layer_shape_text(in, got));
}

bool line_hand_down(Layer *layer, const char *from, const char *to, Err *err)
{
    if (!args_given(&layer->args, from))
        return true;
    double pair[2] = { 1, (double)args_int(&layer->args, from) };
    return args_set_numbers(&layer->op_args, args_find(&layer->op_args, to), pair, 2, layer->name, err);
}

static Node *lay(Tape *tape, Node *x, const int64_t *sizes, int n, Err *err)
{
    Args args;
    args_init(&args, op_reshape.args, op_reshape.n_args);
    args.v[0].given = true;
    args.v[0].u.ints.n = n;
    memcpy(args.v[0].u.ints.v, sizes, (size_t)n * sizeof *sizes);
    return tape_op(tape, &op_reshape, &x, 1, &args, err);
}

Node *line_open(Tape *tape, Node *x, Err *err)
{
    const int64_t *d = x ? x->value.shape.d : NULL;
    return x ? lay(tape, x, (int64_t[]){ d[0], 1, d[1], d[2] }, 4, err) : NULL;
}

Node *line_close(Tape *tape, Node *x, Err *err)
{
    const int64_t *d = x ? x->value.shape.d : NULL;
    return x ? lay(tape, x, (int64_t[]){ d[0], d[2], d[3] }, 3, err) : NULL;
}

Node *line_kernel(Tape *tape, Node *kernel, Err *err)
{
    const int64_t *d = kernel ? kernel->value.shape.d : NULL;
    return kernel ? lay(tape, kernel, (int64_t[]){ 1, d[0], d[1], d[2] }, 4, err) : NULL;
}

/* ---- pooling ---- */

static const char *const paddings[] = { "valid", "same", NULL };
const ArgSpec line_pool_args[LINE_POOL_ARGS] = {
    { .name = "pool_size", .type = ARG_INT, .fallback = "2", .least = 1, .most = 65536, .help = "time steps of the window" },
    { .name = "strides", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 65536, .help = "steps from one window to the next; nil: pool_size" },
    { .name = "padding", .type = ARG_CHOICE, .fallback = "valid", .choices = paddings, .help = "valid: only whole windows; same: also those that reach over the end" },
};
const LayerCase line_pool_cases[LINE_POOL_CASES] = {
    { .in = { { 3, { 2, 6, 3 } } }, .n_in = 1 },
    { .args = "pool_size=3 strides=1", .in = { { 3, { 1, 5, 2 } } }, .n_in = 1 },
    { .args = "pool_size=3 strides=2 padding=same", .in = { { 3, { 2, 6, 2 } } }, .n_in = 1 },
};

bool line_pool_build(Layer *layer, const Op *op, const Shape *in, Err *err)
{
    int64_t size = args_int(&layer->args, "pool_size");
    if (!line_want(layer, in, err))
        return false;
    if (!strcmp(args_choice(&layer->args, "padding"), "valid") && size > in->d[1])
        return layer_refuse(layer, err, "has a window of %" PRId64 " steps, but its sequences have only %" PRId64
                                        "; give padding = \"same\" or a smaller pool_size", size, in->d[1]);
    ops_begin(layer, op);
    double stride[2] = { 1, args_given(&layer->args, "strides") ? (double)args_int(&layer->args, "strides") : (double)size };
    return line_hand_down(layer, "pool_size", "pool_size", err) && ops_hand_down(layer, "padding", "padding", err) &&
           args_set_numbers(&layer->op_args, args_find(&layer->op_args, "strides"), stride, 2, layer->name, err);
}

Node *line_pool_forward(Layer *layer, Tape *tape, const Op *op, Node *x, Err *err)
{
    x = line_open(tape, x, err);
    return x ? line_close(tape, tape_op(tape, op, &x, 1, &layer->op_args, err), err) : NULL;
}
