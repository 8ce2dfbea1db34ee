// SPDX-License-Identifier: MIT
/* The steps of all sequences are laid out as one batch, [B, T, ..] -> [B T, ..], which the layer within takes; a layer with its own
 * idea of time (a mask) does not see it. */
#include "nn/compose.h"
#include "nn/ops.h"

static const LayerCase cases[] = {
    { .wraps = "Dense units=3 activation=tanh", .in = { { 3, { 2, 4, 5 } } }, .n_in = 1 },
    { .wraps = "Conv2D filters=2 kernel_size=2", .in = { { 5, { 2, 3, 4, 4, 1 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    Shape step = { .rank = in[0].rank - 1, .d = { -1 } };
    Compose c;
    (void)n_in;
    if (in[0].rank < 3)
        return layer_refuse(layer, err, "wants sequences of shape (time, ..), got %s; nn.Reshape({time, features}) can make them",
                            layer_shape_text(&in[0], (char[SHAPE_TEXT]){ 0 }));
    for (int i = 1; i < step.rank; i++)
        step.d[i] = in[0].d[i + 1];
    compose_begin(&c, layer, &step, 1, err);
    Layer *inner = compose_wrapped(&c, 0, layer->wrapped[0]->name);
    Symbol *y = compose_call(&c, inner, c.in, 1, NULL);
    return compose_end(&c, &y, 1);
}

/* x as [sizes[0], rest of shape from `skip` on] */
static Node *lay(Tape *tape, Node *x, const int64_t *front, int n_front, int skip, Err *err)
{
    Args args;
    args_init(&args, op_reshape.args, op_reshape.n_args);
    args.v[0].given = true;
    for (int i = 0; i < n_front; i++)
        args.v[0].u.ints.v[args.v[0].u.ints.n++] = front[i];
    for (int i = skip; i < x->value.shape.rank; i++)
        args.v[0].u.ints.v[args.v[0].u.ints.n++] = x->value.shape.d[i];
    return tape_op(tape, &op_reshape, &x, 1, &args, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    const int64_t *d = in[0]->value.shape.d, front[2] = { d[0], d[1] }, rows = d[0] * d[1];
    Node *steps = lay(tape, in[0], &rows, 1, 2, err), *out;
    (void)n_in;
    if (!steps || !model_forward(layer->inner, tape, &steps, &out, NULL, NULL, err))
        return NULL;
    Node *y = lay(tape, out, front, 2, 1, err);
    if (y)
        y->mask = in[0]->mask;
    return y;
}

const LayerKind layer_timedistrib = {
    .name = "TimeDistributed",
    .prefix = "time_distributed",
    .doc = "The same layer at every step of a sequence: TimeDistributed(nn.Dense(8)).\n"
           "Shapes: x [B, T, ..] -> y [B, T, what the layer makes of one step].",
    .example = "local m = nn.Sequential(); m:add(nn.TimeDistributed(nn.Dense(2), {input_shape = {5, 3}})); assert(m:count_params() == 8)",
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .wraps = "layer",
    .composite = true,
    .mask = LAYER_MASK_OWN,
    .build = build,
    .forward = forward,
};
