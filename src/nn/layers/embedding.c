// SPDX-License-Identifier: MIT
#include "nn/init.h"
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "input_dim", .type = ARG_INT, .least = 1, .most = 1 << 30, .help = "how many numbers there are: the largest is input_dim - 1" },
    { .name = "output_dim", .type = ARG_INT, .least = 1, .most = 1 << 20, .help = "how many numbers come out for each" },
    { .name = "embeddings_initializer", .type = ARG_TEXT, .fallback = "uniform", .choices = initializer_names, .help = "initial rows" },
    { .name = "mask_zero", .type = ARG_BOOL, .fallback = "false", .help = "0 is padding: layers behind take no notice of such time steps" },
};
static const LayerCase cases[] = {
    { .args = "input_dim=4 output_dim=3", .in = { { 2, { 2, 5 } } }, .n_in = 1 },
    { .args = "input_dim=3 output_dim=2 mask_zero=true", .in = { { 2, { 3, 4 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    Shape table = SHAPE(args_int(&layer->args, "input_dim"), args_int(&layer->args, "output_dim"));
    char got[SHAPE_TEXT];
    (void)n_in;
    if (in[0].rank + 1 > SHAPE_MOST)
        return layer_refuse(layer, err, "adds an axis to its samples, and %s has as many as can be", layer_shape_text(&in[0], got));
    if (args_bool(&layer->args, "mask_zero") && in[0].rank != 2)
        return layer_refuse(layer, err, "has mask_zero = true, which wants sequences of shape (time), got %s", layer_shape_text(&in[0], got));
    return layer_add_param(layer, "embeddings", table, args_text(&layer->args, "embeddings_initializer"), true, err);
}

/* 1 where the number is not 0. */
static Node *mask_of(Tape *tape, Node *x, Err *err)
{
    static real zero;
    Tensor scalar = tensor_borrow(DTYPE_FLOAT32, (Shape){ .rank = 0 }, &zero);
    Node *number = x->value.dtype == DTYPE_FLOAT32 ? x : tape_op(tape, &op_cast, &x, 1, NULL, err);
    Node *none = number ? tape_input(tape, &scalar, err) : NULL;
    return none ? tape_op(tape, &op_not_equal, (Node *[]){ number, none }, 2, NULL, err) : NULL;
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *table = layer_param(layer, tape, 0, err), *index = in[0];
    (void)n_in;
    if (table && index->value.dtype != DTYPE_INT32) {
        Args whole;
        args_init(&whole, op_cast.args, op_cast.n_args);
        if (!args_set_text(&whole, 0, "int32", layer->name, err))
            return NULL;
        index = tape_op(tape, &op_cast, &index, 1, &whole, err);
    }
    Node *y = table && index ? tape_op(tape, &op_gather, (Node *[]){ table, index }, 2, NULL, err) : NULL;
    if (y && args_bool(&layer->args, "mask_zero") && !(y->mask = mask_of(tape, in[0], err)))
        return NULL;
    return y;
}

const LayerKind layer_embedding = {
    .name = "Embedding",
    .prefix = "embedding",
    .doc = "A row of learnt numbers for each whole number: words, tokens, users. Rows by number, from 0 to input_dim - 1.\n"
           "Shapes: x [B, any] whole numbers, embeddings [input_dim, output_dim] -> y [B, any, output_dim].",
    .example = "local m = nn.Sequential(); m:add(nn.Embedding(10, 4, {input_shape = {3}})); assert(m:count_params() == 40)",
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
