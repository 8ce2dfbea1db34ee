// SPDX-License-Identifier: MIT
/* A time step is padding when all its features equal mask_value: its mask is 0, and so are its features from here on. */
#include <math.h>

#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "mask_value", .type = ARG_FLOAT, .fallback = "0", .least = -INFINITY, .most = INFINITY,
      .help = "time steps all of whose features have this value are padding" },
};
static const LayerCase cases[] = {
    { .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
    { .args = "mask_value=-1", .in = { { 3, { 1, 2, 1 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    char text[SHAPE_TEXT];
    (void)n_in;
    if (in[0].rank != 3)
        return layer_refuse(layer, err, "wants sequences of shape (time, features), got %s; nn.Reshape({time, features}) can make them",
                            layer_shape_text(&in[0], text));
    ops_begin(layer, &op_max);
    layer->op_args.v[args_find(&layer->op_args, "keepdims")].u.b = true;
    return args_set_number(&layer->op_args, args_find(&layer->op_args, "axis"), -1, layer->name, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    real *value = arena_alloc(&tape->arena, sizeof *value, err);
    if (!value)
        return NULL;
    *value = (real)args_float(&layer->args, "mask_value");
    Tensor scalar = tensor_borrow(DTYPE_FLOAT32, (Shape){ .rank = 0 }, value);
    Node *padding = tape_input(tape, &scalar, err);
    Node *differs = padding ? tape_op(tape, &op_not_equal, (Node *[]){ in[0], padding }, 2, NULL, err) : NULL;
    Node *counts = differs ? tape_op(tape, &op_max, &differs, 1, &layer->op_args, err) : NULL;
    Node *y = counts ? tape_op(tape, &op_multiply, (Node *[]){ in[0], counts }, 2, NULL, err) : NULL;
    Shape steps = SHAPE(in[0]->value.shape.d[0], in[0]->value.shape.d[1]);
    return y && (y->mask = ops_reshape(tape, counts, &steps, err)) ? y : NULL;
}

const LayerKind layer_masking = {
    .name = "Masking",
    .prefix = "masking",
    .doc = "Marks time steps that are padding, so that recurrent layers, attention, losses and metrics behind it leave them out.\n"
           "Shapes: x [B, T, features] -> y the same, with a mask [B, T].",
    .example = "local x = nn.Input({3, 1}); local m = nn.Model(x, nn.SimpleRNN(2)(nn.Masking()(x))); "
               "assert(m:predict(tensor{{{1}, {0}, {0}}})[1][1] == m:predict(tensor{{{0}, {1}, {0}}})[1][1])",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .mask = LAYER_MASK_OWN,
    .build = build,
    .forward = forward,
};
