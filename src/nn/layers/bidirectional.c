// SPDX-License-Identifier: MIT
/* Two layers like the given one, of which the second reads backwards; its results are turned round before they are merged. */
#include <stdio.h>
#include <string.h>

#include "nn/compose.h"
#include "nn/ops.h"

static const char *const modes[] = { "sum", "mul", "concat", "ave", "none", NULL };
static const ArgSpec args[] = {
    { .name = "merge_mode", .type = ARG_CHOICE, .fallback = "concat", .choices = modes, .help = "how the two results become one; \"none\": two outputs (Keras's None)" },
};
#define LSTM_X { 3, { 3, 4, 2 } }
static const LayerCase cases[] = {
    { .wraps = "LSTM units=2 return_sequences=true", .in = { LSTM_X }, .n_in = 1 },
    { .wraps = "GRU units=3", .args = "merge_mode=sum", .in = { LSTM_X }, .n_in = 1 },
    { .wraps = "GRU units=2 return_state=true; SimpleRNN units=2 return_state=true go_backwards=true", .args = "merge_mode=mul",
      .in = { LSTM_X, { 2, { 3, 2 } }, { 2, { 3, 2 } } }, .n_in = 3 },
    { .wraps = "SimpleRNN units=3 return_sequences=true", .args = "merge_mode=ave", .in = { LSTM_X }, .n_in = 1 },
    { .wraps = "LSTM units=2 return_sequences=true return_state=true", .args = "merge_mode=none", .in = { LSTM_X }, .n_in = 1 },
};

/* An argument of the forward layer, if it is there and true. */
static bool forward_says(const Layer *layer, const char *name)
{
    const Layer *one = layer->wrapped[0];
    return one && args_find(&one->args, name) >= 0 && args_bool(&one->args, name);
}

static bool is_recurrent(const Layer *layer)
{
    return args_find(&layer->args, "go_backwards") >= 0 && args_find(&layer->args, "return_state") >= 0;
}

static bool check(const Layer *layer, int n_in, Err *err)
{
    static const char *const same[] = { "stateful", "return_sequences", "return_state" };
    const Layer *one = layer->wrapped[0], *other = layer->wrapped[1];
    for (int i = 0; i < 2; i++)
        if (layer->wrapped[i] && !is_recurrent(layer->wrapped[i]))
            return err_set(err, ERR_ARG, "%s wants a recurrent layer, as in nn.Bidirectional(nn.LSTM(8)), got %s", layer->name,
                           layer->wrapped[i]->kind->name);
    if (n_in % 2 == 0)
        return err_set(err, ERR_ARG, "%s wants x, or x and the initial states of both layers, got %d inputs", layer->name, n_in);
    if (!other)
        return true;
    for (int i = 0; i < 3; i++)
        if (args_bool(&one->args, same[i]) != args_bool(&other->args, same[i]))
            return err_set(err, ERR_ARG, "%s: both layers must have the same %s", layer->name, same[i]);
    if (args_bool(&one->args, "go_backwards") == args_bool(&other->args, "go_backwards"))
        return err_set(err, ERR_ARG, "%s: one of the two layers must have go_backwards = true", layer->name);
    return true;
}

/* One of the two, called on x and its half of the states. */
static Symbol *call(Compose *c, int which, Symbol *out[LAYER_OUTPUTS])
{
    static const char *const before[] = { "forward_", "backward_" };
    const Layer *pattern = c->layer->wrapped[which] ? c->layer->wrapped[which] : c->layer->wrapped[0];
    char name[LAYER_NAME];
    snprintf(name, sizeof name, "%s%.*s", before[which], (int)(sizeof name - 10), pattern->name);
    Layer *made = compose_wrapped(c, pattern == c->layer->wrapped[0] ? 0 : 1, name);
    if (made && which && !c->layer->wrapped[1])
        made->args.v[args_find(&made->args, "go_backwards")].u.b = !args_bool(&pattern->args, "go_backwards");
    if (made) /* as Keras has it */
        made->args.v[args_find(&made->args, "zero_output_for_mask")].u.b = args_bool(&pattern->args, "return_sequences");
    Symbol *in[OP_IN_MOST] = { c->in[0] };
    int half = (c->n_in - 1) / 2;
    for (int i = 0; i < half; i++)
        in[1 + i] = c->in[1 + which * half + i];
    return compose_call(c, made, in, 1 + half, out);
}

static bool is_open(const Layer *layer)
{
    return !strcmp(args_choice(&layer->args, "merge_mode"), "none");
}

static int n_states(const Layer *layer)
{
    return forward_says(layer, "return_state") ? 2 * (layer_n_outputs(layer->wrapped[0]) - 1) : 0;
}

/* Outputs of the graph within: y, y of the other, the states of one, those of the other. */
static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    Compose c;
    Symbol *out[2][LAYER_OUTPUTS] = { { NULL } }, *all[MODEL_INPUTS];
    if (!check(layer, n_in, err))
        return false;
    compose_begin(&c, layer, in, n_in, err);
    int half = n_states(layer) / 2;
    for (int i = 0; i < 2; i++) {
        all[i] = call(&c, i, out[i]);
        for (int k = 0; k < half; k++)
            all[2 + i * half + k] = out[i][1 + k];
    }
    return compose_end(&c, all, 2 + 2 * half);
}

static Node *merge(const Layer *layer, Tape *tape, Node *const pair[2], Err *err)
{
    const char *mode = args_choice(&layer->args, "merge_mode");
    Args half;
    args_init(&half, op_scale.args, op_scale.n_args);
    half.v[0].given = true;
    half.v[0].u.f = 0.5;
    if (!strcmp(mode, "concat"))
        return tape_op(tape, &op_concat, pair, 2, NULL, err);
    if (!strcmp(mode, "mul"))
        return tape_op(tape, &op_multiply, pair, 2, NULL, err);
    Node *sum = tape_op(tape, &op_add, pair, 2, NULL, err);
    return sum && !strcmp(mode, "ave") ? tape_op(tape, &op_scale, &sum, 1, &half, err) : sum;
}

static Node *turn(Tape *tape, Node *y, Err *err)
{
    Args time;
    args_init(&time, op_flip.args, op_flip.n_args);
    time.v[0].given = true;
    time.v[0].u.ints.n = 1;
    time.v[0].u.ints.v[0] = 1;
    return tape_op(tape, &op_flip, &y, 1, &time, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *out[MODEL_INPUTS], *further[MODEL_INPUTS];
    bool sequences = forward_says(layer, "return_sequences"), two = is_open(layer);
    int n = 0, states = n_states(layer);
    (void)n_in;
    if (!model_forward(layer->inner, tape, in, out, NULL, NULL, err))
        return NULL;
    int back = forward_says(layer, "go_backwards") ? 0 : 1;
    if (sequences && !(out[back] = turn(tape, out[back], err)))
        return NULL;
    /* further outputs are hung on a node of its own */
    Shape same = out[0]->value.shape;
    Node *y = two ? ops_reshape(tape, out[0], &same, err) : merge(layer, tape, out, err);
    if (!y)
        return NULL;
    if (two)
        further[n++] = out[1];
    for (int i = 0; i < states; i++)
        further[n++] = out[2 + i];
    if (n && !layer_also(tape, y, further, n, err))
        return NULL;
    y->mask = sequences ? in[0]->mask : NULL;
    if (two)
        out[1]->mask = y->mask;
    return y;
}

static int n_outputs(const Layer *layer)
{
    return (is_open(layer) ? 2 : 1) + n_states(layer);
}

const LayerKind layer_bidirectional = {
    .name = "Bidirectional",
    .prefix = "bidirectional",
    .doc = "A recurrent layer beside one like it that reads from the end: Bidirectional(nn.LSTM(8)). Their results are joined, or merged\n"
           "by sum, product or mean. backward_layer: another layer for the second. With return_state: y, the states of the one, of the other.\n"
           "Shapes: x [B, T, I] -> y [B, 2 units], with return_sequences [B, T, 2 units]; units instead of 2 units where merged.\n"
           "Source: Schuster and Paliwal 1997.",
    .example = "local m = nn.Sequential(); m:add(nn.Bidirectional(nn.GRU(4), {input_shape = {5, 3}})); assert(#m:predict(tensor.zeros({1, 5, 3}))[1] == 8)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 5,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .n_outputs = n_outputs,
    .wraps = "layer *backward_layer",
    .composite = true,
    .mask = LAYER_MASK_OWN,
    .build = build,
    .forward = forward,
};
