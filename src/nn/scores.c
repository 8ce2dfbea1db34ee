// SPDX-License-Identifier: MIT
#include "nn/scores.h"

bool scores_check(const Layer *layer, const Shape *in, int n_in, Err *err)
{
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    const Shape *key = &in[n_in > SCORES_KEY ? SCORES_KEY : SCORES_VALUE];
    for (int i = 0; i < n_in; i++)
        if (in[i].rank != 3)
            return layer_refuse(layer, err, "wants sequences of shape (time, features), got %s", layer_shape_text(&in[i], a));
    if (in[SCORES_QUERY].d[2] != key->d[2])
        return layer_refuse(layer, err, "compares queries with keys, so their features must be as many: got %s and %s; a nn.Dense can make them so",
                            layer_shape_text(&in[SCORES_QUERY], a), layer_shape_text(key, b));
    if (in[SCORES_VALUE].d[1] != key->d[1])
        return layer_refuse(layer, err, "wants a key for each value: there are %lld values and %lld keys", (long long)in[SCORES_VALUE].d[1],
                            (long long)key->d[1]);
    return true;
}

Node *scores_sum(Tape *tape, Node *query, Node *key, Node *scale, Node *weight, Err *err)
{
    const int64_t *q = query->value.shape.d, *k = key->value.shape.d;
    Shape queries = SHAPE(q[0], q[1], 1, q[2]), keys = SHAPE(k[0], 1, k[1], k[2]);
    Node *pair[2] = { ops_reshape(tape, query, &queries, err), ops_reshape(tape, key, &keys, err) };
    Node *sum = pair[0] && pair[1] ? tape_op(tape, &op_add, pair, 2, NULL, err) : NULL;
    if (sum && scale)
        sum = tape_op(tape, &op_multiply, (Node *[]){ sum, scale }, 2, NULL, err);
    Node *y = sum ? tape_op(tape, &op_tanh, &sum, 1, NULL, err) : NULL;
    if (y && weight)
        y = tape_op(tape, &op_multiply, (Node *[]){ y, weight }, 2, NULL, err);
    Args last;
    args_init(&last, op_sum.args, op_sum.n_args);
    last.v[0].given = true;
    last.v[0].u.ints.n = 1;
    last.v[0].u.ints.v[0] = -1;
    return y ? tape_op(tape, &op_sum, &y, 1, &last, err) : NULL;
}

/* -1e9 where the mask is 0, as a number to add. */
static Node *penalty(Tape *tape, Node *mask, Err *err)
{
    Args args;
    args_init(&args, op_scale.args, op_scale.n_args);
    args.v[0].given = args.v[1].given = true;
    args.v[0].u.f = 1e9;
    args.v[1].u.f = -1e9;
    return mask ? tape_op(tape, &op_scale, &mask, 1, &args, err) : NULL;
}

static Node *add_mask(Tape *tape, Node *scores, Node *mask, Err *err)
{
    Shape spread = SHAPE(mask->value.shape.d[0], 1, mask->value.shape.d[1]);
    Node *less = penalty(tape, ops_reshape(tape, mask, &spread, err), err);
    return less && scores ? tape_op(tape, &op_add, (Node *[]){ scores, less }, 2, NULL, err) : NULL;
}

/* [T, S]: 0 on and below the diagonal, -1e9 above it. */
static Node *add_causal(Tape *tape, Node *scores, Err *err)
{
    int64_t T = scores->value.shape.d[1], S = scores->value.shape.d[2];
    real *bits = arena_alloc(&tape->arena, (size_t)(T * S) * sizeof *bits, err);
    if (!bits)
        return NULL;
    for (int64_t t = 0; t < T; t++)
        for (int64_t s = 0; s < S; s++)
            bits[t * S + s] = s <= t ? 0 : (real)-1e9;
    Tensor value = tensor_borrow(DTYPE_FLOAT32, SHAPE(T, S), tape->mode == TAPE_INFER ? NULL : bits);
    Node *less = tape_input(tape, &value, err);
    return less ? tape_op(tape, &op_add, (Node *[]){ scores, less }, 2, NULL, err) : NULL;
}

static Node *drop(Layer *layer, Tape *tape, Node *p, Err *err)
{
    Args args;
    args_init(&args, op_dropout.args, op_dropout.n_args);
    args.v[0].given = true;
    args.v[0].u.f = args_float(&layer->args, "dropout");
    return p && args.v[0].u.f > 0 ? tape_op(tape, &op_dropout, &p, 1, &args, err) : p;
}

Node *scores_apply(Layer *layer, Tape *tape, Node *scores, Node *const *in, Err *err)
{
    Node *mask = in[SCORES_VALUE]->mask;
    if (scores && mask)
        scores = add_mask(tape, scores, mask, err);
    if (scores && args_bool(&layer->args, "use_causal_mask"))
        scores = add_causal(tape, scores, err);
    Node *weights = scores ? tape_op(tape, &op_softmax, &scores, 1, NULL, err) : NULL;
    Node *dropped = weights ? drop(layer, tape, weights, err) : NULL;
    Node *y = dropped ? tape_op(tape, &op_matmul, (Node *[]){ dropped, in[SCORES_VALUE] }, 2, NULL, err) : NULL;
    if (!y || (scores_outputs(layer) > 1 && !layer_also(tape, y, &weights, 1, err)))
        return NULL;
    y->mask = in[SCORES_QUERY]->mask;
    return y;
}

int scores_outputs(const Layer *layer)
{
    return args_bool(&layer->args, "return_attention_scores") ? 2 : 1;
}
