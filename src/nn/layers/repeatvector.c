// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "n", .type = ARG_INT, .least = 1, .most = 1 << 24, .help = "how many times" },
};
static const LayerCase cases[] = {
    { .args = "n=3", .in = { { 2, { 2, 4 } } }, .n_in = 1 },
    { .args = "n=1", .in = { { 2, { 2, 4 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    char got[SHAPE_TEXT];
    (void)n_in;
    if (in[0].rank != 2)
        return layer_refuse(layer, err, "wants one list of numbers for each sample, got %s; add nn.Flatten() before it", layer_shape_text(&in[0], got));
    ops_begin(layer, &op_reshape);
    return true;
}

/* n rows are one row, taken n times along a new axis by broadcasting. */
static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    const int64_t *d = in[0]->value.shape.d;
    ArgValue *sizes = &layer->op_args.v[0];
    (void)n_in;
    sizes->given = true;
    sizes->u.ints.n = 3;
    sizes->u.ints.v[0] = d[0], sizes->u.ints.v[1] = 1, sizes->u.ints.v[2] = d[1];
    Node *row = tape_op(tape, &op_reshape, in, 1, &layer->op_args, err);
    Args times;
    args_init(&times, op_repeat.args, op_repeat.n_args);
    if (!row || !args_set_number(&times, args_find(&times, "repeats"), (double)args_int(&layer->args, "n"), layer->name, err) ||
        !args_set_number(&times, args_find(&times, "axis"), 1, layer->name, err))
        return NULL;
    return tape_op(tape, &op_repeat, &row, 1, &times, err);
}

const LayerKind layer_repeatvector = {
    .name = "RepeatVector",
    .prefix = "repeat_vector",
    .doc = "The same numbers n times, as a sequence: what a decoder reads at every step.\n"
           "Shapes: x [B, C] -> y [B, n, C].",
    .example = "local m = nn.Sequential(); m:add(nn.RepeatVector(3, {input_shape = {2}})); assert(#m:predict(tensor{{1, 2}})[1] == 3)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
