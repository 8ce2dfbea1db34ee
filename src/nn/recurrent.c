// SPDX-License-Identifier: MIT
/* The states of a stateful layer are parameters that are not learnt, [batch_size, units]: so they are saved, rewound and resumed with
 * the weights. The op writes them when a step is kept (tape_commit). */
#include "nn/recurrent.h"

#include <inttypes.h>
#include <stdio.h>

#include "nn/ops.h"

static bool flag(const Layer *layer, const char *name)
{
    return args_bool(&layer->args, name);
}

/* Parameters in this order: kernel, recurrent_kernel, bias, states. */
static int first_state(const Layer *layer)
{
    return flag(layer, "use_bias") ? 3 : 2;
}

/* ---- building ---- */

static bool check_inputs(const Layer *layer, const RecurrentKind *kind, const Shape *in, int n_in, Err *err)
{
    int64_t units = args_int(&layer->args, "units");
    char text[SHAPE_TEXT];
    if (in[0].rank != 3)
        return layer_refuse(layer, err, "wants sequences of shape (time, features), got %s; %s", layer_shape_text(&in[0], text),
                            in[0].rank == 2 ? "add nn.Reshape({time, features}) before it, or nn.Embedding where these are token ids, or let the layer before give return_sequences = true"
                                            : "nn.Reshape({time, features}) can make them");
    if (n_in != 1 && n_in != 1 + kind->states)
        return err_set(err, ERR_ARG, "%s has %d state%s: call it on {x} or {x, %s}, got %d inputs", layer->name, kind->states, kind->states > 1 ? "s" : "",
                       kind->states > 1 ? "h, c" : "h", n_in);
    for (int i = 1; i < n_in; i++)
        if (in[i].rank != 2 || in[i].d[1] != units)
            return layer_refuse(layer, err, "wants initial states of shape (%" PRId64 "), got %s", units, layer_shape_text(&in[i], text));
    return true;
}

static bool add_states(Layer *layer, const RecurrentKind *kind, int n_in, Err *err)
{
    static const char *const names[] = { "state_h", "state_c" };
    if (n_in > 1)
        return layer_refuse(layer, err, "is stateful and keeps states of its own: do not give it initial states");
    if (layer->batch < 1)
        return layer_refuse(layer, err, "is stateful and must know the batch size: begin with nn.Input({time, features}, {batch_size = 32})");
    for (int i = 0; i < kind->states; i++) {
        if (!layer_add_param(layer, names[i], SHAPE(layer->batch, args_int(&layer->args, "units")), "zeros", false, err))
            return false;
        layer->params[layer->n_params - 1].state = true;
    }
    return true;
}

static bool set_op(Layer *layer, const RecurrentKind *kind, Err *err)
{
    if (!ops_set(layer, kind->op, err))
        return false;
    return !flag(layer, "stateful") || args_set_bool(&layer->op_args, args_find(&layer->op_args, "return_state"), true, layer->name, err);
}

bool recurrent_build(Layer *layer, const RecurrentKind *kind, const Shape *in, int n_in, Err *err)
{
    const Args *a = &layer->args;
    int64_t units = args_int(a, "units"), width = kind->gates * units;
    bool two_rows = args_find(a, "reset_after") >= 0 && args_bool(a, "reset_after");
    if (!check_inputs(layer, kind, in, n_in, err) || !set_op(layer, kind, err))
        return false;
    return layer_add_param(layer, "kernel", SHAPE(in[0].d[2], width), args_text(a, "kernel_initializer"), true, err) &&
           layer_add_param(layer, "recurrent_kernel", SHAPE(units, width), args_text(a, "recurrent_initializer"), true, err) &&
           (!flag(layer, "use_bias") ||
            layer_add_param(layer, "bias", two_rows ? SHAPE(2, width) : SHAPE(width), args_text(a, "bias_initializer"), true, err)) &&
           (!flag(layer, "stateful") || add_states(layer, kind, n_in, err));
}

/* ---- running ---- */

static int64_t size(const Node *node, int axis)
{
    return node->value.shape.d[axis];
}

/* Ones of this shape of which a share is dropped and the others grow. */
static Node *drop_ones(Layer *layer, Tape *tape, double rate, Shape shape, Err *err)
{
    static real one = 1;
    Tensor scalar = tensor_borrow(DTYPE_FLOAT32, SHAPE(1), &one);
    uint64_t seed = tape->seed;
    Args args;
    args_init(&args, op_dropout.args, op_dropout.n_args);
    args.v[0].given = true;
    args.v[0].u.f = rate;
    Node *ones = tape_input(tape, &scalar, err);
    ones = ones ? ops_broadcast(tape, ones, &shape, err) : NULL;
    if (args_given(&layer->args, "seed"))
        tape->seed = (uint64_t)args_int(&layer->args, "seed");
    ones = ones ? tape_op(tape, &op_dropout, &ones, 1, &args, err) : NULL;
    tape->seed = seed;
    return ones;
}

/* Some features are dropped at all steps. */
static Node *drop_features(Layer *layer, Tape *tape, Node *x, Err *err)
{
    double rate = args_float(&layer->args, "dropout");
    if (rate == 0 || tape->mode != TAPE_TRAIN)
        return x;
    Node *keep = drop_ones(layer, tape, rate, SHAPE(size(x, 0), 1, size(x, 2)), err);
    return keep ? tape_op(tape, &op_multiply, (Node *[]){ x, keep }, 2, NULL, err) : NULL;
}

static Node *own_state(Layer *layer, Tape *tape, int i, int64_t rows, Err *err)
{
    const Param *param = &layer->params[first_state(layer) + i];
    const int64_t *d = param->value.shape.d;
    if (tape->mode == TAPE_INFER) {
        Tensor any = tensor_borrow(DTYPE_FLOAT32, SHAPE(rows, d[1]), NULL);
        return tape_input(tape, &any, err);
    }
    if (d[0] == rows)
        return layer_param(layer, tape, first_state(layer) + i, err);
    layer_refuse(layer, err, "is stateful for batches of %" PRId64 " samples, got one of %" PRId64 "; give batch_size = %" PRId64 " and a multiple of it in samples",
                 d[0], rows, d[0]);
    return NULL;
}

static bool find_operands(Layer *layer, const RecurrentKind *kind, Tape *tape, Node *const *in, int n_in, Node *out[8], Err *err)
{
    double rate = args_float(&layer->args, "recurrent_dropout");
    int64_t rows = size(in[0], 0);
    if (!(out[0] = drop_features(layer, tape, in[0], err)))
        return false;
    for (int i = 0; i < first_state(layer); i++)
        if (!(out[1 + i] = layer_param(layer, tape, i, err)))
            return false;
    out[4] = in[0]->mask;
    if (rate > 0 && tape->mode == TAPE_TRAIN && !(out[5] = drop_ones(layer, tape, rate, SHAPE(rows, args_int(&layer->args, "units")), err)))
        return false;
    for (int i = 0; i < kind->states; i++)
        if (n_in > 1)
            out[6 + i] = in[1 + i];
        else if (flag(layer, "stateful") && !(out[6 + i] = own_state(layer, tape, i, rows, err)))
            return false;
    return true;
}

/* Rows first … end-1 of y [B, rows, U]; flat: one row as [B, U]. */
static Node *rows_of(Tape *tape, Node *y, int64_t first, int64_t end, bool flat, Err *err)
{
    Args args;
    Shape shape = SHAPE(size(y, 0), size(y, 2));
    args_init(&args, op_slice.args, op_slice.n_args);
    args.v[0].given = args.v[1].given = true;
    args.v[0].u.ints.n = args.v[1].u.ints.n = 2;
    args.v[0].u.ints.v[1] = first;
    args.v[1].u.ints.v[0] = size(y, 0);
    args.v[1].u.ints.v[1] = end;
    Node *part = tape_op(tape, &op_slice, &y, 1, &args, err);
    return part && flat ? ops_reshape(tape, part, &shape, err) : part;
}

/* The op's result holds the states behind the results: take it apart. */
static Node *take_apart(Layer *layer, const RecurrentKind *kind, Tape *tape, Node *all, Err *err)
{
    bool sequences = flag(layer, "return_sequences");
    int64_t end = size(all, 1) - kind->states;
    Node *y = rows_of(tape, all, 0, end, !sequences, err), *states[2];
    if (!y || !flag(layer, "return_state"))
        return y;
    for (int i = 0; i < kind->states; i++)
        if (!(states[i] = rows_of(tape, all, end + i, end + i + 1, true, err)))
            return NULL;
    return layer_also(tape, y, states, kind->states, err) ? y : NULL;
}

Node *recurrent_forward(Layer *layer, const RecurrentKind *kind, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *operands[8] = { NULL };
    if (!find_operands(layer, kind, tape, in, n_in, operands, err))
        return NULL;
    Node *y = tape_op(tape, kind->op, operands, kind->op->in_most, &layer->op_args, err);
    if (y && (flag(layer, "return_state") || flag(layer, "stateful")))
        y = take_apart(layer, kind, tape, y, err);
    if (y)
        y->mask = flag(layer, "return_sequences") ? in[0]->mask : NULL;
    return y;
}

int recurrent_outputs(const Layer *layer, const RecurrentKind *kind)
{
    return flag(layer, "return_state") ? 1 + kind->states : 1;
}
