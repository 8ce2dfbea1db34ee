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

/* [B, T, ..] -> [B T, ..], or back with T > 0 */
static Node *lay(Tape *tape, Node *x, int64_t B, int64_t T, Err *err)
{
    const Shape *from = &x->value.shape;
    Shape shape = T ? SHAPE(B, T) : SHAPE(B);
    for (int i = T ? 1 : 2; i < from->rank; i++)
        shape.d[shape.rank++] = from->d[i];
    return ops_reshape(tape, x, &shape, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    int64_t B = in[0]->value.shape.d[0], T = in[0]->value.shape.d[1];
    Node *steps = lay(tape, in[0], B * T, 0, err), *out;
    (void)n_in;
    if (!steps || !model_forward(layer->inner, tape, &steps, &out, NULL, NULL, err))
        return NULL;
    Node *y = lay(tape, out, B, T, err);
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
