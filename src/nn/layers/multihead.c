// SPDX-License-Identifier: MIT
/* Query, value and key are projected to all heads at once, each head attends for itself, and one more projection brings them
 * together. The projections' kernels have Keras's shapes and are matrices in other clothes. */
#include <stdio.h>

#include "nn/init.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "num_heads", .type = ARG_INT, .least = 1, .most = 4096, .help = "how many heads" },
    { .name = "key_dim", .type = ARG_INT, .least = 1, .most = 1 << 20, .help = "numbers of a query or key of one head" },
    { .name = "value_dim", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 1 << 20, .help = "numbers of a value of one head; nil: key_dim" },
    { .name = "dropout", .type = ARG_FLOAT, .fallback = "0.0", .least = 0, .most = 1, .open_most = true, .help = "share of attention weights dropped while training" },
    { .name = "use_bias", .type = ARG_BOOL, .fallback = "true", .help = "biases in the projections" },
    { .name = "output_shape", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 1 << 30, .help = "numbers that come out; nil: as many as a query has" },
    { .name = "kernel_initializer", .type = ARG_TEXT, .fallback = "glorot_uniform", .choices = initializer_names, .help = "initial kernels" },
    { .name = "bias_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial biases" },
    { .name = "use_causal_mask", .type = ARG_BOOL, .fallback = "false", .help = "a step sees itself and what came before (in Keras given with the call)" },
    { .name = "return_attention_scores", .type = ARG_BOOL, .fallback = "false", .help = "give the weights as a second output (in Keras given with the call)" },
};
static const LayerCase cases[] = {
    { .args = "num_heads=2 key_dim=3", .in = { { 3, { 2, 4, 5 } } }, .n_in = 1 },
    { .args = "num_heads=2 key_dim=2 value_dim=3 output_shape=4", .in = { { 3, { 2, 3, 5 } }, { 3, { 2, 4, 6 } } }, .n_in = 2 },
    { .args = "num_heads=1 key_dim=2 use_bias=false use_causal_mask=true", .in = { { 3, { 2, 4, 3 } } }, .n_in = 1 },
    { .args = "num_heads=2 key_dim=2 return_attention_scores=true", .in = { { 3, { 2, 3, 3 } }, { 3, { 2, 4, 3 } }, { 3, { 2, 4, 2 } } }, .n_in = 3 },
    { .args = "num_heads=2 key_dim=2", .in = { { 3, { 2, 3, 3 } }, { 3, { 2, 4, 3 } }, { 3, { 2, 4, 3 } }, { 3, { 2, 3, 4 } } }, .n_in = 4 },
};

enum { QUERY, VALUE, KEY, MASK };

static bool add_projection(Layer *layer, const char *name, Shape kernel, int n_in, Err *err)
{
    char text[24];
    Shape bias = { .rank = kernel.rank - n_in };
    snprintf(text, sizeof text, "%s/kernel", name);
    if (!layer_add_kernel(layer, text, kernel, n_in, args_text(&layer->args, "kernel_initializer"), err))
        return false;
    for (int i = 0; i < bias.rank; i++)
        bias.d[i] = kernel.d[n_in + i];
    snprintf(text, sizeof text, "%s/bias", name);
    return !args_bool(&layer->args, "use_bias") || layer_add_param(layer, text, bias, args_text(&layer->args, "bias_initializer"), true, err);
}

static bool check(const Layer *layer, const Shape *in, int n_in, Err *err)
{
    char got[SHAPE_TEXT];
    for (int i = 0; i < n_in && i < MASK; i++)
        if (in[i].rank != 3)
            return layer_refuse(layer, err, "wants sequences of shape (time, features), got %s; nn.Embedding or nn.Reshape can make them",
                                layer_shape_text(&in[i], got));
    if (n_in > KEY && in[VALUE].d[1] != in[KEY].d[1])
        return layer_refuse(layer, err, "wants a key for each value: there are %lld values and %lld keys; the order is query, value, key",
                            (long long)in[VALUE].d[1], (long long)in[KEY].d[1]);
    return true;
}

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    const Args *a = &layer->args;
    int64_t H = args_int(a, "num_heads"), D = args_int(a, "key_dim"), V = args_given(a, "value_dim") ? args_int(a, "value_dim") : D;
    const Shape *query = &in[QUERY], *value = n_in > VALUE ? &in[VALUE] : query, *key = n_in > KEY ? &in[KEY] : value;
    if (!check(layer, in, n_in, err))
        return false;
    int64_t O = args_given(a, "output_shape") ? args_int(a, "output_shape") : query->d[2];
    return add_projection(layer, "query", SHAPE(query->d[2], H, D), 1, err) && add_projection(layer, "key", SHAPE(key->d[2], H, D), 1, err) &&
           add_projection(layer, "value", SHAPE(value->d[2], H, V), 1, err) && add_projection(layer, "attention_output", SHAPE(H, V, O), 2, err);
}

/* Parameter i as a matrix or vector. */
static Node *flat(Layer *layer, Tape *tape, int i, Err *err)
{
    Node *node = layer_param(layer, tape, i, err);
    const Param *param = &layer->params[i];
    Shape shape = param->fans.rank == 2 && param->value.shape.rank > 2 ? param->fans : SHAPE(tensor_count(&param->value));
    return node && param->value.shape.rank != shape.rank ? ops_reshape(tape, node, &shape, err) : node;
}

/* Projection `which` of x [B, T, E] -> [B, T, n] */
static Node *project(Layer *layer, Tape *tape, Node *x, int which, Err *err)
{
    bool bias = args_bool(&layer->args, "use_bias");
    int first = which * (bias ? 2 : 1);
    Node *in[3] = { x, flat(layer, tape, first, err), bias ? flat(layer, tape, first + 1, err) : NULL };
    return x && in[1] && (!bias || in[2]) ? tape_op(tape, &op_linear, in, bias ? 3 : 2, NULL, err) : NULL;
}

static Node *to_heads(Layer *layer, Tape *tape, Node *x, int which, Err *err)
{
    Node *y = project(layer, tape, x, which, err);
    int64_t H = args_int(&layer->args, "num_heads");
    Shape shape = y ? SHAPE(y->value.shape.d[0], y->value.shape.d[1], H, y->value.shape.d[2] / H) : SHAPE(1);
    return y ? ops_reshape(tape, y, &shape, err) : NULL;
}

/* What two masks leave: either may be missing. */
static bool join(Tape *tape, Node **mask, Node *more, Err *err)
{
    if (*mask && more)
        return (*mask = tape_op(tape, &op_multiply, (Node *[]){ *mask, more }, 2, NULL, err)) != NULL;
    *mask = *mask ? *mask : more;
    return true;
}

static Node *with_axis(Tape *tape, Node *mask, bool of_queries, Err *err)
{
    int64_t B = mask->value.shape.d[0], n = mask->value.shape.d[1];
    Shape shape = of_queries ? SHAPE(B, n, 1) : SHAPE(B, 1, n);
    return ops_reshape(tape, mask, &shape, err);
}

/* Keys' own masks as [B, S] where that is all; with a query's or a given one [B, T, S]. */
static bool find_mask(Tape *tape, Node *const *in, int n_in, Node *value, Node *key, Node **out, Err *err)
{
    Node *mask = value->mask, *query = in[QUERY]->mask;
    if ((key->mask != value->mask && !join(tape, &mask, key->mask, err)))
        return false;
    if ((query || n_in > MASK) && mask && !(mask = with_axis(tape, mask, false, err)))
        return false;
    if (query && (!(query = with_axis(tape, query, true, err)) || !join(tape, &mask, query, err)))
        return false;
    if (n_in > MASK && !join(tape, &mask, in[MASK], err))
        return false;
    *out = mask;
    if (mask && mask->value.shape.rank == 3) { /* a query's alone is [B, T, 1] */
        const int64_t *d = mask->value.shape.d;
        Shape whole = SHAPE(d[0], in[QUERY]->value.shape.d[1], key->value.shape.d[1]);
        *out = ops_broadcast(tape, mask, &whole, err);
    }
    return *out || !mask;
}

static Args op_args(const Op *op, const Layer *layer)
{
    Args out;
    args_init(&out, op->args, op->n_args);
    out.v[args_find(&out, "causal")].u.b = args_bool(&layer->args, "use_causal_mask");
    return out;
}

static Node *attend(Layer *layer, Tape *tape, Node *const qkvm[4], Err *err)
{
    Args own = op_args(&op_attention, layer);
    own.v[args_find(&own, "rate")].u.f = args_float(&layer->args, "dropout");
    return tape_op(tape, &op_attention, qkvm, qkvm[3] ? 4 : 3, &own, err);
}

/* The same with the weights in between laid open. */
static Node *attend_openly(Layer *layer, Tape *tape, Node *const qkvm[4], Node **weights, Err *err)
{
    static const int64_t swap[] = { 0, 2, 1, 3 };
    Args own = op_args(&op_attention_weights, layer), drop;
    Node *in[3] = { qkvm[0], qkvm[1], qkvm[3] }, *p = *weights = tape_op(tape, &op_attention_weights, in, in[2] ? 3 : 2, &own, err);
    args_init(&drop, op_dropout.args, op_dropout.n_args);
    drop.v[0].given = true;
    drop.v[0].u.f = args_float(&layer->args, "dropout");
    if (p && drop.v[0].u.f > 0)
        p = tape_op(tape, &op_dropout, &p, 1, &drop, err);
    Node *v = ops_transpose(tape, qkvm[2], swap, err);
    Node *y = p && v ? tape_op(tape, &op_matmul, (Node *[]){ p, v }, 2, NULL, err) : NULL;
    return ops_transpose(tape, y, swap, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *value = n_in > VALUE ? in[VALUE] : in[QUERY], *key = n_in > KEY ? in[KEY] : value, *weights = NULL;
    bool open = args_bool(&layer->args, "return_attention_scores");
    Node *qkvm[4] = { to_heads(layer, tape, in[QUERY], 0, err) };
    if (!qkvm[0] || !(qkvm[1] = to_heads(layer, tape, key, 1, err)) || !(qkvm[2] = to_heads(layer, tape, value, 2, err)) ||
        !find_mask(tape, in, n_in, value, key, &qkvm[3], err))
        return NULL;
    Node *y = open ? attend_openly(layer, tape, qkvm, &weights, err) : attend(layer, tape, qkvm, err);
    if (!y)
        return NULL;
    const int64_t *d = y->value.shape.d;
    Shape joined = SHAPE(d[0], d[1], d[2] * d[3]);
    y = project(layer, tape, ops_reshape(tape, y, &joined, err), 3, err);
    if (y && open && !layer_also(tape, y, &weights, 1, err))
        return NULL;
    if (y)
        y->mask = in[QUERY]->mask;
    return y;
}

static int n_outputs(const Layer *layer)
{
    return args_bool(&layer->args, "return_attention_scores") ? 2 : 1;
}

const LayerKind layer_multihead = {
    .name = "MultiHeadAttention",
    .prefix = "multi_head_attention",
    .doc = "Each step of the query looks at all steps of the value, in several heads: attention(query) is called on (query), which looks\n"
           "at itself, or on (query, value), (query, value, key) or (query, value, key, mask). Masks of the inputs are respected.\n"
           "Shapes: query [B, T, E], value [B, S, ..], key [B, S, ..], mask [B, T, S] -> [B, T, output_shape]; weights [B, heads, T, S].\n"
           "Source: Vaswani et al. 2017, section 3.2.2.",
    .example = "local m = nn.Sequential(); m:add(nn.MultiHeadAttention(2, 8, {input_shape = {5, 16}})); assert(m:count_params() == 1088)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 4,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .n_outputs = n_outputs,
    .mask = LAYER_MASK_OWN,
    .build = build,
    .forward = forward,
};
